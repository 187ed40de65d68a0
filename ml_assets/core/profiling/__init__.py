"""Profiles of columns, reference profiles of past days, distances between them, and the search for target leakage."""
