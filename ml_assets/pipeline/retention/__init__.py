"""Removal of old days, models and files, as the retention of a specification says."""
