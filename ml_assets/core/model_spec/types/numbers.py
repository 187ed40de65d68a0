"""Formatting of numbers in messages, as the specification states them."""


def format_number(value: float) -> str:
    """Return the shortest text that parses to the same number, without an exponent where a person would not write one:
    1234567.89, 100, 0.001, 1e+20.
    """
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    return repr(float(value))
