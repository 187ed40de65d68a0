"""Training and parameter search as stages: checkpoints, progress, run configuration and stale models."""
