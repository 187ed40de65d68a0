"""Templates in a defs.yaml, such as `{{ env.FEED }}`: where they are, and a JSON schema that accepts them."""

from collections.abc import Mapping
from typing import Any

MARK = "{{"
TEMPLATE = {
    "type": "string",
    "pattern": r"\{\{.*\}\}",
    "description": "A template such as {{ env.NAME }}, which is resolved when the file is loaded.",
}
_REFERENCE = {"$ref": "#/$defs/Template"}
_ANNOTATIONS = ("default", "description", "title")


def has_template(value: object) -> bool:
    """Return whether a value of a document is a template or has one in it."""
    if isinstance(value, Mapping):
        return any(has_template(part) for part in value.values())
    if isinstance(value, list):
        return any(has_template(part) for part in value)
    return isinstance(value, str) and MARK in value


def accept_templates(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON schema in which the value of each field may be a template.

    Args:
        schema: the schema of resolved values.
    """
    accepting = _with_templates_below(schema)
    return {**accepting, "$defs": {**accepting.get("$defs", {}), "Template": TEMPLATE}}


def _with_templates_below(schema: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(schema)
    for name in ("properties", "$defs"):
        if name in result:
            # A definition is used as the value of a field, which accepts a template itself.
            accept = _with_template if name == "properties" else _with_templates_below
            result[name] = {field: accept(part) for field, part in result[name].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(result.get(name), Mapping):
            result[name] = _with_template(result[name])
    for name in ("anyOf", "oneOf", "allOf"):
        if name in result:
            result[name] = [_with_templates_below(part) for part in result[name]]
    return result


def _with_template(schema: Mapping[str, Any]) -> dict[str, Any]:
    inner = _with_templates_below(schema)
    # The kind of a feature selects its other fields, so it has to be there.
    if "const" in inner or (inner.keys() <= {"type", *_ANNOTATIONS} and inner.get("type") == "string"):
        return inner
    outer = {name: inner.pop(name) for name in _ANNOTATIONS if name in inner}
    if inner.keys() == {"anyOf"}:
        return {**outer, "anyOf": [*inner["anyOf"], _REFERENCE]}
    return {**outer, "anyOf": [inner, _REFERENCE]}
