"""Sensors that turn events of runs, checks and releases into notifications, and send them."""
