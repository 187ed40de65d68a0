"""Verbs for developers of this repository: generated documents, pinned dependencies, benchmarks."""
