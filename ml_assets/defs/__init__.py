"""The definitions of this code location: the environment, and one folder with a defs.yaml for each model."""
