"""One file per outside system, each a Dagster resource: where files land, the lake, experiment tracking and the model
registry.
"""
