"""Numbers with a noun in the singular or plural: `1 day`, `2 days`."""


def count(number: int, noun: str) -> str:
    """Return a number with its noun in singular or plural, such as `1 day` and `1,200 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
