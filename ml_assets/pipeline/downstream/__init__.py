"""Support for a project's own assets and checks downstream of a model: reading days, and when to run.

No module of a model's own assets imports it.
"""
