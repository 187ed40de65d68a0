"""Metrics of classifiers and regressions, with confidence intervals, and paired comparisons of two models on the same
rows.
"""
