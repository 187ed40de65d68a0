"""Reading of specification files (defs.yaml), and messages that name the file, line and field of each problem."""
