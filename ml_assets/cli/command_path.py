"""The spelling of `ml-assets` in messages, so that a printed command works when pasted into the same shell."""

import re
import shlex
import shutil
import sys
from functools import partial
from pathlib import Path

from ml_assets.resources.observability.changed_stream import ChangedStream

NAME = "ml-assets"
# The command with a verb, but not the same word in a path, a label or a URL.
COMMAND = re.compile(r"(?<![\w/.'-])ml-assets(?= (?:--)?[a-z]|`|$)", re.MULTILINE)


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


def spell_commands() -> None:
    """Print `ml-assets` from now on as it was typed, such as `.venv/bin/ml-assets`, if its bare name would not start
    this script.
    """
    if (command := typed_command(sys.argv[0])) is not None:
        sys.stdout, sys.stderr = (  # type: ignore[assignment]
            ChangedStream(stream, partial(spell_command, command)) for stream in (sys.stdout, sys.stderr)
        )


def spell_command(command: str, text: str) -> str:
    """Return a text with another command in place of `ml-assets`."""
    return COMMAND.sub(lambda _: command, text)
