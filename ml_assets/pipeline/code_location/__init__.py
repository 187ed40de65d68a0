"""Definitions of a folder of models: each is loaded by itself; a broken one becomes an asset that says why."""
