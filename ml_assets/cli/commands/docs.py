"""The documents that are generated from the code: docs/spec.md, docs/defs.schema.json and docs/doctor.md."""

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_assets.core.operations.doctor import environment_checks as operation_rules
from ml_assets.core.operations.doctor import instance_checks as instance_rules
from ml_assets.core.operations.doctor import storage_checks as state_rules
from ml_assets.core.operations.doctor.diagnosis import Diagnosis
from ml_assets.defs.settings import REPOSITORY
from ml_assets.pipeline.component import json_schema

TITLE = """\
# The specification of a model

Every field of `ml_assets/defs/<name>/defs.yaml`, generated from the pydantic models in `ml_assets/core/model_spec` by `make docs`: do not edit.
Editors check a file as it is typed when its first line is `# yaml-language-server: $schema=../../../docs/defs.schema.json`.
Unknown fields are refused. Durations are written `7d`, `12h` or `30m`.

A complete example: [fraud_detection](../ml_assets/defs/fraud_detection/defs.yaml); a quite different one:
[pump_failures](../examples/pump_failures/defs.yaml).
"""

DOCTOR = """\
# What the doctor looks at

`make doctor` checks the instance in `DAGSTER_HOME` and the environment, prints a line for each check and how to mend what is wrong, and ends with
exit code 1 when something is an error. It changes nothing (an empty file is put into each place that has to be written, and removed again) and shows
no credential.
Generated from the rules in `ml_assets/core` by `make docs`: do not edit.

| check | all is well when |
|---|---|
"""


def documents() -> dict[Path, str]:
    """Path, relative to the repository, and content of each generated document."""
    return {
        Path("docs/spec.md"): spec_page(json_schema()),
        Path("docs/defs.schema.json"): json.dumps(json_schema(), indent=1) + "\n",
        Path("docs/doctor.md"): DOCTOR + "".join(f"| `{name}` | {about} |\n" for name, about in rules().items()),
    }


def rules() -> dict[str, str]:
    """The rules of the doctor: for each check, when all is well."""
    found = {}
    for module in (instance_rules, state_rules, operation_rules):
        for name, rule in inspect.getmembers(module, inspect.isfunction):
            if (
                rule.__module__ == module.__name__
                and not name.startswith("_")
                and rule.__annotations__["return"] is Diagnosis
            ):
                found[name] = _one_line((rule.__doc__ or "").split("\n\n")[0])
    return found


def spec_page(schema: Mapping[str, Any]) -> str:
    """The reference of all fields as Markdown: one table for each part of the specification.

    Args:
        schema: JSON schema of a defs.yaml, as `json_schema` gives it.
    """
    attributes = schema["properties"]["attributes"]
    parts = [TITLE, *_part("attributes", attributes)]
    for name, part in sorted(schema["$defs"].items()):
        if part.get("type") == "object":
            parts += _part(name, part)
    return "\n".join(parts) + "\n"


def _part(name: str, part: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}\n"
    if part.get("description"):
        yield f"{_one_line(part['description'])}\n"
    yield "| field | type | default | meaning |"
    yield "|---|---|---|---|"
    required = part.get("required", [])
    for field, about in part.get("properties", {}).items():
        default = (
            "**required**"
            if field in required
            else f"`{json.dumps(about.get('default'))}`"
            if "default" in about
            else ""
        )
        yield f"| `{field}` | {_type(about)} | {default} | {_one_line(about.get('description', ''))} |"
    yield ""


def _type(about: Mapping[str, Any]) -> str:
    if "$ref" in about:
        name = about["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "enum" in about:
        return " \\| ".join(f"`{value}`" for value in about["enum"])
    if "const" in about:
        return f"`{about['const']}`"
    for several in ("anyOf", "oneOf"):
        if several in about:
            return " or ".join(_type(one) for one in about[several])
    if about.get("type") == "array":
        inner = about.get("items") or {"anyOf": about.get("prefixItems", [])[:1]}
        return f"list of {_type(inner)}"
    if about.get("type") == "object":
        return (
            f"map to {_type(about['additionalProperties'])}"
            if isinstance(about.get("additionalProperties"), dict)
            else "map"
        )
    if about.get("examples"):
        return f"duration, as `{about['examples'][0]}`"
    return str(about.get("format") or about.get("type", "any")) + _limits(about)


def _limits(about: Mapping[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {about[name]:g}" for name, sign in signs.items() if name in about]
    return f" ({', '.join(limits)})" if limits else ""


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def write_documents() -> None:
    """Write every document, and print which of them changed."""
    for path, content in documents().items():
        target = REPOSITORY / path
        target.parent.mkdir(exist_ok=True)
        changed = not target.exists() or target.read_text() != content
        target.write_text(content)
        print(f"{path}: {'written' if changed else 'unchanged'}")
