"""The Dagster layer: a ModelSpec becomes assets, checks, a job and a schedule; no business rules here."""
