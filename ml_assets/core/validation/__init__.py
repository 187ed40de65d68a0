"""Validation of a day by the contract, its violations, and the corrections of quarantined rows."""
