"""From landed files to typed rows: file patterns, readers, type conversion, the cursor of the sensor, and rules for
late data.
"""
