"""Detection of templates in a defs.yaml, such as `{{ env.FEED }}`, and a JSON schema that accepts them."""

from collections.abc import Mapping, Sequence
from typing import Any

MARK = "{{"
TEMPLATE = {
    "type": "string",
    "pattern": r"\{\{.*\}\}",
    "description": "A template such as {{ env.NAME }}, which is resolved when the file is loaded.",
}
_REFERENCE = {"$ref": "#/$defs/Template"}
_ANNOTATIONS = ("default", "description", "examples", "title")


def has_template(value: object) -> bool:
    """Return whether a value of a document is or contains a template."""
    if isinstance(value, Mapping):
        return any(has_template(part) for part in value.values())
    if isinstance(value, list):
        return any(has_template(part) for part in value)
    return isinstance(value, str) and MARK in value


def accept_templates(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON schema in which the value of each field may be a template.

    Alternatives become conditions (`if`), so that a validator names the wrong field instead of a section that matches
    no alternative. Text patterns are left out, because the specification refuses such values with a clearer message.

    Args:
        schema: the schema of resolved values.
    """
    accepting = _with_templates_below(schema)
    return {**accepting, "$defs": {**accepting.get("$defs", {}), "Template": TEMPLATE}}


def _with_templates_below(schema: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(schema)
    for name in ("properties", "$defs"):
        if name in result:
            # A definition is the value of a field, and that field accepts a template.
            accept = _with_template if name == "properties" else _with_templates_below
            result[name] = {field: accept(part) for field, part in result[name].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(result.get(name), Mapping):
            result[name] = _with_template(result[name])
    if "discriminator" in result:
        result |= _by_kind(result.pop("oneOf"), result.pop("discriminator"))
    for name in ("anyOf", "oneOf"):
        if name in result:
            result |= _by_type([_with_templates_below(part) for part in result.pop(name)])
    if "pattern" in result:
        return {name: result[name] for name in _ANNOTATIONS if name in result}
    return result


def _with_template(schema: Mapping[str, Any]) -> dict[str, Any]:
    inner = _with_templates_below(schema)
    outer = {name: inner.pop(name) for name in _ANNOTATIONS if name in inner}
    # The kind of a feature selects its other fields, so it is required.
    if not inner or "const" in inner or inner == {"type": "string"}:
        return {**outer, **inner}
    return {**outer, "if": _REFERENCE, "else": inner}


def _by_kind(parts: Sequence[Mapping[str, Any]], discriminator: Mapping[str, Any]) -> dict[str, Any]:
    """Return conditions that select one of several mappings by its discriminator field."""
    field, targets = discriminator["propertyName"], discriminator["mapping"]
    kinds = {part["$ref"]: [kind for kind, target in targets.items() if target == part["$ref"]] for part in parts}
    return {
        "type": "object",
        "required": [field],
        "properties": {field: {"enum": sorted(targets)}},
        "allOf": [
            {"if": {"properties": {field: {"enum": names}}, "required": [field]}, "then": {"$ref": reference}}
            for reference, names in kinds.items()
        ],
    }


def _by_type(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return conditions that select an alternative by the type of the value; empty where the type is ambiguous."""
    types = ["object" if "$ref" in part else part.get("type") for part in parts]
    if not all(isinstance(kind, str) for kind in types) or len(set(types)) < len(types):
        return {}
    conditions = [
        {"if": {"type": kind}, "then": part} for kind, part in zip(types, parts, strict=True) if part != {"type": kind}
    ]
    return {"type": types, **({"allOf": conditions} if conditions else {})}
