"""Metrics of a model on its holdout, and the gates that decide whether it may be registered.

The metrics themselves are in `core/metrics`.
"""
