"""What is loaded: the environment, and one folder with a defs.yaml for each model."""
