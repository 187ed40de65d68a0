"""Point-in-time features: window aggregates, the join of late labels, and the comparison for training-serving skew.

Features of a single row at serving time belong in `core/serving`.
"""
