"""Names that occur more than once are listed once, sorted."""

from ml_assets.core.model_spec.types.base import repeated


def test_repeated_names_are_listed_once_and_sorted():
    assert repeated(["b", "a", "b", "c", "a", "a"]) == ["a", "b"]
    assert repeated(["a", "b"]) == []
