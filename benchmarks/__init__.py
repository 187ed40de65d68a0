"""Benchmarks: the pipeline against plain functions and against Dagster by its own remedies, in one series.

`python -m benchmarks` runs them all; `benchmarks/cases` has a module for each. Nothing in the package imports this.
"""
