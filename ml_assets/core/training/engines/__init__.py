"""Training engines, of which the specification selects one: memory, external memory, or a Dask cluster."""
