"""The Dagster instance: its home and settings, PostgreSQL storage, run launcher, log capture, runs whose process died,
and the health of code servers. Features that need private names of Dagster are in `resources/dagster_internals`.
"""
