"""Verbs for those who work on this repository: generated documents, pinned dependencies, benchmarks."""
