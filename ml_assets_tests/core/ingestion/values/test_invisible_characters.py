"""Invisible characters are control and format characters; white space is seen as space."""

import pytest

from ml_assets.core.ingestion.values.invisible_characters import drop_invisible, is_invisible


@pytest.mark.parametrize("character", ["\ufeff", "\u200b", "\u200d", "\u2060", "\u00ad", "\u202e", "\0", "\x7f"])
def test_control_and_format_characters_are_invisible(character):
    assert is_invisible(character)
    assert drop_invisible(f"A{character}7") == "A7"


@pytest.mark.parametrize("character", ["a", " ", "\u00a0", "\u3000", "\u00e9", "\U0001f600", "\ue000"])
def test_letters_and_spaces_stay(character):
    assert not is_invisible(character)
    assert drop_invisible(f"A{character}7") == f"A{character}7"
