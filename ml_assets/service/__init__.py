"""Online scoring over HTTP: what is live in the registry scores single rows, with features from the newest history of
the lake.
"""
