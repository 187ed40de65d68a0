"""The Delta Lake: one table for each model and asset, the files of models, and read-only and planned views of both."""
