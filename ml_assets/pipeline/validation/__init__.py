"""Validation as a stage: contract, volume and drift checks, corrections and report."""
