"""A stream that changes each text before it writes it."""

from collections.abc import Callable, Iterable
from typing import Any, TextIO


class ChangedStream:
    """A wrapper of a stream that changes text before writing it; everything else is delegated.

    Args:
        stream: the stream to write to.
        change: returns the text to write.
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
