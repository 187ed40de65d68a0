"""Numbers in messages, with the digits that the specification states."""


def format_number(value: float) -> str:
    """Return the shortest text that reads as the same number, without an exponent where a person would write none:
    1234567.89, 100, 0.001, 1e+20.
    """
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    return repr(float(value))
