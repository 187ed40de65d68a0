"""The file of a specification, defs.yaml: reading it, and naming file, line and field of what is wrong in it."""
