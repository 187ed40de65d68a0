"""Engines that fit the trees, chosen in the specification: this process, external memory, or a Dask cluster."""
