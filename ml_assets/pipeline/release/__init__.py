"""Registration, deployment and predictions as stages, with their checks, metadata and reports."""
