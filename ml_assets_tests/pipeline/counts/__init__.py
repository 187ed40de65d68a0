"""Counts of what days cost (statements, requests, bytes, plots, events), held below committed bounds.

Seconds depend on the machine, counts do not. `python -m ml_assets_tests.pipeline.counts` writes the bounds anew.
"""
