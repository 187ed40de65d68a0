"""Clients of outside systems, most of them as Dagster resources, one folder for each system. No business rules."""
