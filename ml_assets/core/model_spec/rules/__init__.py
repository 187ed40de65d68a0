"""Validation rules across several parts of a specification, and the old names of fields."""
