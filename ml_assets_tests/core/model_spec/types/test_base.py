"""Values that YAML reads as something else are refused, and names that occur more than once are listed once."""

from datetime import date

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec.types.base import SpecPart, repeated


class Part(SpecPart):
    """A part with a field of each kind that YAML may misread."""

    rounds: int | None = 1
    share: float = 0.5
    start: date = date(2026, 1, 1)
    target: bool | int = True


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rounds": True}, "rounds must be a number, not True"),
        ({"share": False}, "share must be a number, not False"),
        ({"start": 1767225600}, "start must be a day such as 2026-01-31, not 1767225600"),
    ],
)
def test_values_that_yaml_reads_as_something_else_are_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        Part.model_validate(fields)


def test_values_of_the_type_of_a_field_are_taken():
    part = Part.model_validate({"rounds": None, "share": 1, "start": "2026-01-02", "target": False})
    assert (part.rounds, part.share, part.start, part.target) == (None, 1.0, date(2026, 1, 2), False)


def test_repeated_names_are_listed_once_and_sorted():
    assert repeated(["b", "a", "b", "c", "a", "a"]) == ["a", "b"]
    assert repeated(["a", "b"]) == []
