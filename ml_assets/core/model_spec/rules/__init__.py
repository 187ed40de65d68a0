"""Rules that hold between several parts of a specification, as functions of those parts, and the old names of
fields."""
