"""Cost and lineage that a step records in addition to its assets. Nothing here may fail or delay a step."""
