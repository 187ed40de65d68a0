"""The error of a file that is not a specification."""


class SpecFileError(ValueError):
    """A file is not a valid specification. The message names the file, the line and the field of each problem."""
