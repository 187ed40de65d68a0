"""The limits of YAML files: their size, the depth of their values, and the expansion of aliases.

Specifications written by people are far below these limits. Without them, a few lines of aliases could expand to more
values than memory can hold, and deep nesting would crash the parser.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ml_assets.core.model_spec.defs_yaml.document import SpecFileError

if TYPE_CHECKING:
    import yaml

MAX_BYTES, MAX_VALUES, MAX_DEPTH, MAX_DOCUMENTS = 1 << 20, 50_000, 50, 100
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# Characters that YAML 1.1 does not allow, except those beyond U+FFFF, which are accepted here.
_NOT_ALLOWED = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_text(path: Path) -> str:
    """Read the text of a YAML file.

    Raises:
        SpecFileError: when it cannot be read, is too large, is not UTF-8, or has characters that YAML does not allow.
    """
    try:
        if not path.is_file():
            raise SpecFileError(f"{path}:1: this is not a file that can be read")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpecFileError(f"{path}:1: the file cannot be read: {error.strerror}; let this user read it") from error
    if len(content) > MAX_BYTES:
        raise SpecFileError(f"{path}:1: the file has more than {MAX_BYTES:,} bytes, which no specification needs")
    if content.startswith(_UTF_16):
        raise SpecFileError(f"{path}:1: the file is UTF-16 or UTF-32, not UTF-8; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line(error.object[: error.start].decode("utf-8", "replace"))
        raise SpecFileError(f"{path}:{line}: the file is not UTF-8; save it as UTF-8") from error
    if character := _NOT_ALLOWED.search(text):
        hint = "; the file may be damaged, or in another encoding than UTF-8" if character[0] == "\0" else ""
        raise SpecFileError(
            f"{path}:{_line(text[: character.start()])}: this is not valid YAML: the character "
            f"U+{ord(character[0]):04X} is not allowed{hint}"
        )
    return text


def check_events(path: Path, events: "Iterable[yaml.Event]") -> None:
    """Check the number of documents and values and the depth of a YAML file before it is composed.

    Raises:
        SpecFileError: when one is above its limit.
    """
    import yaml

    depth = documents = values = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        values += isinstance(event, yaml.NodeEvent)
        line = event.start_mark.line + 1
        if depth > MAX_DEPTH:
            raise SpecFileError(f"{path}:{line}: lists and mappings are nested more than {MAX_DEPTH} deep")
        if documents > MAX_DOCUMENTS:
            raise SpecFileError(f"{path}:{line}: the file has more than {MAX_DOCUMENTS} documents")
        if values > MAX_VALUES:
            raise SpecFileError(f"{path}:{line}: the file has more than {MAX_VALUES:,} values")


def check_size(path: Path, root: "yaml.Node") -> None:
    """Check the number of values of a document after the expansion of aliases, and their depth.

    Raises:
        SpecFileError: when one is above its limit, or an alias refers to a value that contains it.
    """
    _measure(path, root, 0, {})


def _measure(path: Path, node: "yaml.Node", depth: int, measured: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return the number of values of a node and the levels below it; aliases of a node are the same object."""
    import yaml

    if isinstance(node, yaml.ScalarNode):
        return 1, 0
    line = node.start_mark.line + 1
    values, levels = measured.get(id(node), (0, 0))
    if not values and depth <= MAX_DEPTH:
        children = node.value
        if isinstance(node, yaml.MappingNode):
            children = [child for pair in node.value for child in pair]
        sizes = [_measure(path, child, depth + 1, measured) for child in children]
        values, levels = 1 + sum(size for size, _ in sizes), 1 + max((level for _, level in sizes), default=0)
        measured[id(node)] = values, levels
    if depth + levels > MAX_DEPTH:
        raise SpecFileError(
            f"{path}:{line}: with its aliases, this is nested more than {MAX_DEPTH} deep, or a part of itself"
        )
    if values > MAX_VALUES:
        raise SpecFileError(f"{path}:{line}: with its aliases, this stands for more than {MAX_VALUES:,} values")
    return values, levels


def _line(text: str) -> int:
    return text.count("\n") + 1
