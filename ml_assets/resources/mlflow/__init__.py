"""Runs, logged models and stores of MLflow. The model registry has a folder of its own, `resources/registry`."""
