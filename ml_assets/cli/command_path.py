"""The spelling of `ml-assets` in messages, so that a printed command works when pasted into the same shell."""

import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ml_assets.resources.observability.changed_stream import ChangedStream

NAME = "ml-assets"
PROJECT_OPTION = "--project"
# The command with a verb, but not the same word in a path, a label or a URL.
COMMAND = re.compile(r"(?<![\w/.'-])ml-assets(?= (?:--)?[a-z]|`|$)", re.MULTILINE)
# The same without the option, up to the end of the command.
COMMAND_WITHOUT_PROJECT = re.compile(rf"(?<![\w/.'-])ml-assets(?= [a-z])(?![^`\n]*{PROJECT_OPTION}\b)", re.MULTILINE)


def typed_command(script: str) -> str | None:
    """Return the command that starts this script again from the shell; None if its bare name does.

    Args:
        script: the path of the script as it was typed (`sys.argv[0]`).
    """
    path = Path(script)
    if path.name != NAME or not path.exists():
        return None
    on_path = shutil.which(NAME)
    return None if on_path is not None and Path(on_path).samefile(path) else shlex.quote(script)


def typed_project(arguments: Sequence[str]) -> str | None:
    """Return the value of `--project` in the arguments of the command; None without it."""
    for position, argument in enumerate(arguments):
        name, has_value, value = argument.partition("=")
        if name == PROJECT_OPTION:
            return value if has_value else next(iter(arguments[position + 1 :]), None)
    return None


def spell_commands(arguments: Sequence[str] = ()) -> None:
    """Print `ml-assets` from now on as it was typed: such as `.venv/bin/ml-assets`, if its bare name would not start
    this script, and with `--project`, if it was given.

    Args:
        arguments: the arguments of the command.
    """
    command, project = typed_command(sys.argv[0]), typed_project(arguments)
    if command is not None or project is not None:
        sys.stdout, sys.stderr = (  # type: ignore[assignment]
            ChangedStream(stream, partial(spell_command, command or NAME, project=project))
            for stream in (sys.stdout, sys.stderr)
        )


def spell_command(command: str, text: str, project: str | None = None) -> str:
    """Return a text with another command in place of `ml-assets`, and with the option `--project` after it."""
    if project is not None:
        text = COMMAND_WITHOUT_PROJECT.sub(lambda _: f"{NAME} {PROJECT_OPTION} {shlex.quote(project)}", text)
    return COMMAND.sub(lambda _: command, text)
