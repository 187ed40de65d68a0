"""Arrow schemas of all tables, fingerprints of their days, and what a day is in a time zone."""
