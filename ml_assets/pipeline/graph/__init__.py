"""The asset graph of one model: builds every stage, and turns each into Dagster assets with keys, lineage, schemas and
checks.
"""
