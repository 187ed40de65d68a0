"""The stages of training and parameter search: checkpoints, progress, run configuration and stale models."""
