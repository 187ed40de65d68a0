"""Logs as JSON without secrets, metrics over OTLP, lineage events, and the memory and time that a step used.

Nothing is configured by an import, only by a call.
"""
