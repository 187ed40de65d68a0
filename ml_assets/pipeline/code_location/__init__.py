"""Definitions of a folder of models: each is loaded by itself, and an asset in place of a broken one says so."""
