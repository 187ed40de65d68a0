"""The commands of the tutorial print what it shows."""

import pytest

from ml_assets_tests.documentation.console_blocks import differing_blocks, matches, run_page, write_project
from ml_assets_tests.test_repository import REPOSITORY

TUTORIAL = REPOSITORY / "docs" / "tutorial.md"


def test_output_matches_apart_from_seconds_and_what_is_left_out():
    assert matches("In all 3.2 s\n", "In all 10.5 s\n")
    assert matches("first\n...\n", "first\nsecond\n")
    assert not matches("1 row\n", "2 rows\n")
    assert not matches("roc_auc 0.81 is\n", "roc_auc 0.82 is\n")


@pytest.mark.slow
def test_the_tutorial_shows_what_its_commands_print(tmp_path):
    text = TUTORIAL.read_text()
    written = run_page(text, write_project(tmp_path / "parcels"))
    assert differing_blocks(text, written) == [], (
        "python -m ml_assets_tests.documentation.console_blocks docs/tutorial.md"
    )
