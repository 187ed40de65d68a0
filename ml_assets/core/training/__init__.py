"""Training of one model: the time split, batches of days, boosting with early stopping, parameter search, and the
provenance of the result.
"""
