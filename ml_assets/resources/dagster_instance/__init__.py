"""The storage, coordinator and launcher of a Dagster instance, as `dagster.yaml` names them, and facts read from
one.
"""
