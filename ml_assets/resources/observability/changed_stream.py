"""A stream that changes each text before it writes it."""

from collections.abc import Callable, Iterable
from typing import Any, TextIO


class ChangedStream:
    """A stream in place of another one; everything but writing is left to that one.

    Args:
        stream: written to.
        change: returns the text that is written.
    """

    def __init__(self, stream: TextIO, change: Callable[[str], str]):
        self._stream = stream
        self._change = change

    def write(self, text: str) -> int:
        """Write a text; return the number of characters that the caller gave."""
        self._stream.write(self._change(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
