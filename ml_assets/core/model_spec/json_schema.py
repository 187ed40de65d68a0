"""The JSON schema of a specification with the docstring of every field, for editors and for the reference.

pydantic can read these docstrings itself, but it does so at every import of the models, which would slow down every
process of Dagster.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from ml_assets.core.model_spec.model import ModelSpec
from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import format_duration


class _SchemaOfYaml(GenerateJsonSchema):
    """Generates defaults in the form that a file has, in which durations are not in ISO 8601."""

    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def documented_schema() -> dict[str, Any]:
    """Return the JSON schema (2020-12) of ModelSpec, with the docstring below each field as the description of its
    property.
    """
    schema = ModelSpec.model_json_schema(schema_generator=_SchemaOfYaml)
    for part in _parts(SpecPart):
        described = schema if part is ModelSpec else schema["$defs"].get(part.__name__)
        if described is not None:
            for name, text in _field_docstrings(part).items():
                described["properties"][name]["description"] = text
    return schema


def _parts(base: type[SpecPart]) -> Iterator[type[SpecPart]]:
    for part in base.__subclasses__():
        yield part
        yield from _parts(part)


def _field_docstrings(part: type[SpecPart]) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(part))).body
    assert isinstance(definition, ast.ClassDef)
    docstrings = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        is_docstring = (
            isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
        )
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_docstring:
            docstrings[field.target.id] = inspect.cleandoc(below.value.value)  # type: ignore[attr-defined]
    return docstrings
