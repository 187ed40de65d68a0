"""Profiles of columns, reference profiles of past days, drift measures, and measures of target leakage.

Checks of these measures belong in `core/checks`.
"""
