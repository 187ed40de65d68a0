"""From the values of a landed column to typed values: text, numbers, booleans and times.

Readers of files do not belong here.
"""
