"""Training engines, one of which the specification chooses: memory, external memory, or a Dask cluster."""
