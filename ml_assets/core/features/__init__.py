"""Point-in-time features: window aggregates, the join of late labels, and the comparison of training features with
serving features. Scoring one row at a time belongs in `core/serving`.
"""
