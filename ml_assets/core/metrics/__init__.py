"""Metrics of binary classifiers, with confidence intervals, and paired comparisons of two models on the same rows."""
