"""What the pipeline is measured against: its data, plain functions, and plain functions in Dagster."""
