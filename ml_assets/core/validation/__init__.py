"""Validation of a day against the contract, its violations, and the corrections of quarantined rows."""
