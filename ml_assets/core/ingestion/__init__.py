"""From landed files to typed rows: file patterns, reader, type conversion, sensor cursor, and rules for late data.

Checks of the rows belong in `core/validation`, and labels that arrive late in `core/checks/label_timeliness.py`.
"""
