"""The field `checks` of a specification: one class of settings for each kind of check, and all checks together."""
