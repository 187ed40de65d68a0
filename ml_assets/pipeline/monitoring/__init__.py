"""Stages and checks that observe production: served requests, and the quality of predictions."""
