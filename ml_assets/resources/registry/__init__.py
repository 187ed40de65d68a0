"""Versions, aliases, tags and descriptions in the MLflow model registry. Runs and logged models are in
`resources/mlflow`, decisions on releases in `resources/release`.
"""
