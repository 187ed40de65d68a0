"""Code for the processes of steps, as a function that the server they are forked from can import quickly."""

from collections.abc import Sequence


def run_code(code: str, arguments: Sequence[str]) -> None:
    """Run code instead of Dagster's command line, whose arguments are ignored."""
    exec(compile(code, "forked", "exec"), {})
