"""The stage raw_data: landed files read, renamed and typed, and the scan of the landing for changed days."""
