"""A YAML document with the line of each of its fields."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

Field = Sequence[str | int]
"""The path of a field: names of mappings and positions in lists."""

TEXT, MERGE = "tag:yaml.org,2002:str", "<<"
_KINDS = {"bool": "a boolean", "null": "null", "int": "a number", "float": "a number"}


class SpecFileError(ValueError):
    """A file is not a valid specification. The message names the file, the line and the field of each problem."""


@dataclass(frozen=True)
class YamlDocument:
    """One document of a YAML file.

    Attributes:
        path: the file.
        content: its content; dates stay text, as when Dagster loads components.
        root: the nodes of the content, with their lines.
        position: its position among the documents of the file that have content, from 0.
    """

    path: Path
    content: Any
    root: "yaml.Node"
    position: int = 0

    @property
    def line(self) -> int:
        """The line in which the content begins."""
        return self.root.start_mark.line + 1

    def locate(self, field: Field) -> tuple[str, int, "yaml.Node"]:
        """Return the name of a field as a person writes it, its line, and its node.

        Parts of the path that the document does not have, such as the kind of a union, are left out; a missing field
        is named, and has the line of the mapping that lacks it.
        """
        import yaml

        node, line, names = self.root, self.root.start_mark.line + 1, []
        for position, part in enumerate(field):
            if isinstance(node, yaml.MappingNode):
                # The members of a merged mapping come first, and are replaced by those of the mapping itself.
                pair = next((pair for pair in reversed(node.value) if _is_key(pair[0], part)), None)
                if pair is not None:
                    line, node = pair[0].start_mark.line + 1, pair[1]
                    names.append(str(part))
                elif position == len(field) - 1 and part != "[key]":
                    names.append(str(part))
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
                names.append(f"[{part}]")
        return ".".join(names).replace(".[", "["), line, node

    def find_field(self, root: Field, text: str) -> Field:
        """Return the path of the field that a message begins with, such as `labels.key: no such column`.

        Args:
            root: path of the field that the message starts from.
            text: the message.
        """
        import yaml

        path, node, rest = list(root), self.locate(root)[2], text
        while True:
            names: list[str | int] = []
            if isinstance(node, yaml.MappingNode):
                names = [str(key.value) for key, _ in node.value]
            elif isinstance(node, yaml.SequenceNode):
                names = list(range(len(node.value)))
            written = {name: f"[{name}]" if isinstance(name, int) else name for name in names}
            fitting = [name for name in names if rest.startswith(written[name]) and _ends(rest[len(written[name]) :])]
            if not fitting:
                return path
            name = max(fitting, key=lambda name: len(written[name]))
            path.append(name)
            rest = rest[len(written[name]) :].removeprefix(".")
            node = self.locate(path)[2]


def misread_text(node: "yaml.Node") -> str | None:
    """Explain that YAML reads an unquoted value as something other than text, with the remedy; None if it does not."""
    import yaml

    kind = _KINDS.get(node.tag.rpartition(":")[2])
    if not isinstance(node, yaml.ScalarNode) or kind is None or node.style:
        return None
    written = node.value or "nothing"
    return f'YAML reads {written} as {kind}; put it in quotes, "{node.value}", if it is text'


def _is_key(key: "yaml.Node", part: str | int) -> bool:
    return str(key.value) == str(part)


def _ends(rest: str) -> bool:
    return not rest or rest[0] in ".:[ "
