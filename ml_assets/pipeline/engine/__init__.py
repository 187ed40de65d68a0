"""The engine that makes the days of a stage: fingerprints, commits, and the guard against runs that have ended.

It knows no particular stage.
"""
