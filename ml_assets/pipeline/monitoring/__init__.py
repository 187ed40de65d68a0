"""Stages and checks of what is observed in production: served requests, and the quality of predictions."""
