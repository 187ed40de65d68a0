"""The PostgreSQL storage and the run launcher of a Dagster instance, and locks of runs in process. Features that need
private names of Dagster are in `resources/dagster_internals`.
"""
