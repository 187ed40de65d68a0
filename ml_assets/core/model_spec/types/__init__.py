"""Types of single fields of the specification: durations, cron expressions, importable modules, and the base class of
all parts.
"""
