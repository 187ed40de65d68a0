"""The state of other processes."""

from pathlib import Path


def is_alive(process: int) -> bool:
    """Return whether a process runs."""
    # The command line of a dead process whose parent has not collected it is empty.
    command = Path(f"/proc/{process}/cmdline")
    return command.exists() and bool(command.read_bytes())
