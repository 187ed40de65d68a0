"""Online scoring over HTTP: single rows are scored by the released models, with features from the newest history in the
lake.
"""
