"""Columns with their descriptions (`columns.py`), Arrow schemas of all tables, fingerprints of their days, day ranges,
and the boundaries of a day in a time zone.
"""
