"""The contract of a row, its violations, and the corrections of quarantined rows."""
