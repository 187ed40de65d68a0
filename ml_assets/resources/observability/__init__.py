"""Logs as JSON, and metrics over OTLP. Nothing is configured by an import, only by a call."""
