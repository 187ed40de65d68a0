"""A stage as a Dagster step: assets, partitions, retries, metadata, metrics and check results.

It knows no particular stage.
"""
