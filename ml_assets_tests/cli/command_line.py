"""The command line as tests call it, in their own process."""

import json
from contextlib import suppress
from typing import Any

import pytest

from ml_assets.cli.command_group import cli


def call(*arguments: str) -> None:
    """Run a verb; what it raises, SystemExit included, reaches the test."""
    cli.main(list(arguments), prog_name="ml-assets", standalone_mode=False)


def read_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run a verb with `--json`; return its document, which is all that standard output gets."""
    capsys.readouterr()
    with suppress(SystemExit):
        call(*arguments, "--json")
    return json.loads(capsys.readouterr().out)
