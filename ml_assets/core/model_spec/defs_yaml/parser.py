"""The parser of YAML files, which returns documents with line numbers and raises errors that name file, line and
reason."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_assets.core.model_spec.defs_yaml.document import MERGE, TEXT, Field, SpecFileError, YamlDocument, misread_text
from ml_assets.core.model_spec.defs_yaml.limits import check_events, check_size, read_text

if TYPE_CHECKING:
    import yaml

_TIMESTAMP, _NULL = "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:null"
_NO_TAB = "YAML is indented with spaces, not with tabs"


def parse_documents(path: Path) -> list[YamlDocument]:
    """Parse a YAML file. Documents without content are left out.

    Raises:
        SpecFileError: when the file cannot be read, is not UTF-8 or not YAML, is too large or nested too deeply, has no
            content, defines a name twice, or has a name that YAML reads as something other than text.
    """
    import yaml

    text, loader = read_text(path), _loader()
    try:
        check_events(path, yaml.parse(text, Loader=loader))
        roots = [root for root in yaml.compose_all(text, Loader=loader) if not _is_empty(root)]
    except yaml.MarkedYAMLError as error:
        raise SpecFileError(_describe(path, text, error)) from error
    except yaml.YAMLError as error:
        raise SpecFileError(f"{path}:1: this is not valid YAML: {' '.join(str(error).split())}") from error
    if not roots:
        raise SpecFileError(
            f"{path}:1: the file has no content; docs/reference/spec.md lists the fields of a specification"
        )
    for root in roots:
        check_size(path, root)
    if problems := [problem for root in roots for problem in _problems_of_names(path, root, (), set())]:
        raise SpecFileError("\n".join(problems))
    return [
        YamlDocument(path, _construct(path, text, loader, root), root, position) for position, root in enumerate(roots)
    ]


def _is_empty(root: "yaml.Node | None") -> bool:
    return root is None or (root.tag == _NULL and not root.value)


def _describe(path: Path, text: str, error: "yaml.MarkedYAMLError") -> str:
    mark = error.problem_mark or error.context_mark
    reason = " ".join(part for part in (error.context, error.problem) if part)
    line = mark.line + 1 if mark else 1
    if mark and text[mark.index : mark.index + 1] == "\t":
        reason = f"{reason}. {_NO_TAB}"
    return f"{path}:{line}: this is not valid YAML: {reason}"


def _loader() -> "type[yaml.SafeLoader]":
    import yaml

    # The C loader is ten times as fast, but not every installation of PyYAML has it.
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in base.yaml_implicit_resolvers.items()
    }
    return type("Loader", (base,), {"yaml_implicit_resolvers": resolvers})


def _construct(path: Path, text: str, loader: "type[yaml.SafeLoader]", root: "yaml.Node") -> Any:
    import yaml

    constructor = loader("")
    try:
        return constructor.construct_document(root)
    except yaml.MarkedYAMLError as error:
        raise SpecFileError(_describe(path, text, error)) from error
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        # Constructors of numbers, dates and other types raise different errors, without a line.
        node = _find_fault(loader, root) or root
        value, kind = str(node.value)[:50], node.tag.rpartition(":")[2]
        line = node.start_mark.line + 1
        raise SpecFileError(f"{path}:{line}: this is not valid YAML: {value!r} cannot be read as {kind}") from error
    finally:
        constructor.dispose()


def _find_fault(loader: "type[yaml.SafeLoader]", node: "yaml.Node") -> "yaml.Node | None":
    """Find the first value that cannot be constructed by itself."""
    import yaml

    if isinstance(node, yaml.SequenceNode):
        children = node.value
    elif isinstance(node, yaml.MappingNode):
        children = [child for pair in node.value for child in pair]
    else:
        constructor = loader("")
        try:
            constructor.construct_document(node)
        except Exception:
            return node
        finally:
            constructor.dispose()
        return None
    return next((fault for child in children if (fault := _find_fault(loader, child)) is not None), None)


def _problems_of_names(path: Path, node: "yaml.Node", field: Field, seen: set[int]) -> Iterator[str]:
    import yaml

    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _problems_of_names(path, item, [*field, position], seen)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        where = f"{path}:{line}: {'.'.join(str(part) for part in [*field, name]).removeprefix('attributes.')}"
        if not isinstance(key, yaml.ScalarNode):
            where = f"{path}:{line}: {'.'.join(map(str, field)).removeprefix('attributes.') or 'the file'}"
            # Two braces are a mapping as the name in another one.
            yield f'{where}: a name must be text; a template is written in quotes, "{{{{ env.FEED }}}}"'
        elif key.tag != TEXT and name != MERGE:
            yield f"{where}: {misread_text(key) or 'a name must be text'}"
        elif name in lines:
            yield f"{where}: the name is also on line {lines[name]}, and YAML would use only one of them; remove one"
        lines.setdefault(name, line)
        yield from _problems_of_names(path, value, [*field, name], seen)
