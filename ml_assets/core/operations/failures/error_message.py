"""The message of an error, short enough for a sentence."""


def first_line(error: object) -> str:
    """Return the first line of an error's message; of an SQLAlchemy error that of the database, without the statement
    and its parameters.
    """
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
