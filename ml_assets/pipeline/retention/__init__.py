"""Removal of old days, models and files, as the retention policy of a specification says."""
