"""Numbers with their nouns."""


def count(number: int, noun: str) -> str:
    """Return a number with its noun in singular or plural, such as `1 day` and `1,200 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
