"""Runs, models and stores of MLflow. The model registry is in `resources/registry`."""
