"""Versions, aliases, tags and descriptions in the MLflow model registry."""
