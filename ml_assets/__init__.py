"""ml_assets: a Dagster code location that turns daily files into a validated, evaluated and registered model."""
