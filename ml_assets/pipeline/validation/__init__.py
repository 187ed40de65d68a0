"""The stages of validation: contract, volume and drift checks, corrections and report."""
