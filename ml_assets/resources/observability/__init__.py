"""Logs as JSON, and metrics over OTLP."""
