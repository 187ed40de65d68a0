"""A YAML document with the line of each of its fields."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

Field = Sequence[str | int]
"""The path of a field: names of mappings and positions in lists."""

_TEXT, _TIMESTAMP, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp", "<<"
_KINDS = {"bool": "a boolean", "null": "null", "int": "a number", "float": "a number"}


class SpecFileError(ValueError):
    """A file is not a valid specification. The message names the file, the line and the field of each problem."""


@dataclass(frozen=True)
class YamlDocument:
    """One document of a YAML file.

    Attributes:
        path: the file.
        content: its content; dates stay text, as in Dagster's own reading of components.
        root: the nodes of the content, with their lines.
    """

    path: Path
    content: Any
    root: "yaml.Node"

    def locate(self, field: Field) -> tuple[str, int, "yaml.Node"]:
        """Return the name of a field as a person writes it, its line, and its node.

        Parts of the path that the document does not have, such as the kind of a union, are left out; a missing field
        is named, and has the line of the mapping that lacks it.
        """
        import yaml

        node, line, names = self.root, self.root.start_mark.line + 1, []
        for position, part in enumerate(field):
            if isinstance(node, yaml.MappingNode):
                pair = next((pair for pair in node.value if _is_key(pair[0], part)), None)
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
        """Return the path of the field that a message names at its beginning, such as `labels.key: no such column`.

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


def parse_documents(path: Path) -> list[YamlDocument]:
    """Parse a YAML file.

    Raises:
        SpecFileError: when the file is not UTF-8 or not YAML, has no content, defines a name twice, or has a name that
            YAML reads as something other than text.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SpecFileError(f"{path}:{line}: the file is not UTF-8; save it as UTF-8") from error
    loader = _loader()
    try:
        roots = [root for root in yaml.compose_all(text, Loader=loader) if root is not None]
        documents = [YamlDocument(path, _construct(loader, root), root) for root in roots]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        raise SpecFileError(f"{path}:{mark.line + 1 if mark else 1}: this is not valid YAML: {reason}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SpecFileError(f"{path}:1: this is not valid YAML: {' '.join(str(error).split())}") from error
    if not documents:
        raise SpecFileError(f"{path}:1: the file has no content; docs/spec.md lists the fields of a specification")
    if problems := [problem for document in documents for problem in _problems_of_names(path, document.root, ())]:
        raise SpecFileError("\n".join(problems))
    return documents


def misread_text(node: "yaml.Node") -> str | None:
    """Return how YAML reads a value without quotes as something other than text, with the remedy; else None."""
    import yaml

    kind = _KINDS.get(node.tag.rpartition(":")[2])
    if not isinstance(node, yaml.ScalarNode) or kind is None or node.style:
        return None
    written = node.value or "nothing"
    return f'YAML reads {written} as {kind}; put it in quotes, "{node.value}", if it is text'


def _loader() -> "type[yaml.SafeLoader]":
    import yaml

    # The loader in C is ten times as fast; an installation of PyYAML may lack it.
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in base.yaml_implicit_resolvers.items()
    }
    return type("Loader", (base,), {"yaml_implicit_resolvers": resolvers})


def _construct(loader: "type[yaml.SafeLoader]", root: "yaml.Node") -> Any:
    constructor = loader("")
    try:
        return constructor.construct_document(root)
    finally:
        constructor.dispose()


def _is_key(key: "yaml.Node", part: str | int) -> bool:
    return str(key.value) == str(part)


def _ends(rest: str) -> bool:
    return not rest or rest[0] in ".:[ "


def _problems_of_names(path: Path, node: "yaml.Node", field: Field) -> Iterator[str]:
    import yaml

    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _problems_of_names(path, item, [*field, position])
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        where = f"{path}:{line}: {'.'.join(str(part) for part in [*field, name]).removeprefix('attributes.')}"
        if not isinstance(key, yaml.ScalarNode):
            yield f"{path}:{line}: {'.'.join(map(str, field)) or 'the file'}: a name must be text"
        elif key.tag != _TEXT and name != _MERGE:
            yield f"{where}: {misread_text(key) or 'a name must be text'}"
        elif name in lines and name != _MERGE:
            yield f"{where}: the name is also on line {lines[name]}, and YAML would use only one of them; remove one"
        lines.setdefault(name, line)
        yield from _problems_of_names(path, value, [*field, name])
