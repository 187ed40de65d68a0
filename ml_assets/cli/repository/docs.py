"""The generated files: pages of the documentation, the JSON schema, dagster-postgres.yaml and the template of MLflow's
store.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from ml_assets.cli.doctor.checks import CHECKS
from ml_assets.cli.home import SHIPPED
from ml_assets.cli.repository.cli_page import cli_page
from ml_assets.cli.repository.instance_file import derive_postgresql_instance
from ml_assets.cli.repository.tables_page import tables_page
from ml_assets.core.operations.failures.damaged_state import STATE_FILES
from ml_assets.defs.settings import REPOSITORY
from ml_assets.pipeline.component import json_schema
from ml_assets.resources.mlflow_internals.empty_store import TEMPLATE, generate_template

SPEC_TITLE = """\
# The specification of a model

Every field of `ml_assets/defs/<name>/defs.yaml`, generated from the pydantic models in `ml_assets/core/model_spec` by \
`make docs`: do not edit. Editors check a file while you type when its first line is \
`# yaml-language-server: $schema=../../../docs/defs.schema.json`. Unknown fields are refused. Durations are written \
`7d`, `12h` or `30m`.

A complete example: [fraud_detection](../../ml_assets/defs/fraud_detection/defs.yaml); a very different one: \
[pump_failures](../../examples/pump_failures/defs.yaml); a regression: \
[bike_rentals](../../examples/bike_rentals/defs.yaml); several classes: \
[support_tickets](../../examples/support_tickets/defs.yaml).
"""

DOCTOR_TITLE = """\
# Doctor

`ml-assets doctor` checks the environment and the instance in `DAGSTER_HOME`. It prints a line for each check, with \
the remedy of each problem, and ends with exit code 1 when there is an error. It prints no credentials and \
changes nothing, except that it creates and removes an empty file in each location that has to be writable.

`ml-assets doctor --scrub` looks for damage instead: it reads every live file of the lake, the deploy target and the \
models in MLflow, compares it with its digest, and compares the release ledger with MLflow and the deploy target \
([what puts it back](../how-to/backup.md#if-a-file-is-damaged-or-gone)).

Generated from the rules in `ml_assets/core/operations/doctor` by `make docs`: do not edit.

| check | purpose |
|---|---|
"""


DAMAGE_TITLE = """\
# Damaged or missing state

A command that meets a damaged or missing state file ends with exit code 1 and one message: the file, what is lost, \
where a backup is taken from, and the command that repairs it. A run in the UI fails with the same message, and \
`ml-assets doctor` (`damaged_state`) looks for all of them. `<file>.damaged` beside a file records that the loss is \
known; remove it when the cause is found. Files with rows of days: [Backup and recovery](../how-to/backup.md).

Generated from `ml_assets/core/operations/failures/damaged_state.py` by `make docs`: do not edit.

| file | content | what is lost | remedy |
|---|---|---|---|
"""


def documents(group: click.Group) -> dict[Path, str]:
    """Generate each document: its path, relative to the repository, and its content.

    Args:
        group: the command group `ml-assets`.
    """
    return {
        Path("docs/reference/spec.md"): spec_page(json_schema()),
        Path("docs/defs.schema.json"): json.dumps(json_schema(has_templates=True), indent=1) + "\n",
        Path("docs/reference/cli.md"): cli_page(group),
        Path("docs/reference/tables.md"): tables_page(),
        Path("docs/reference/doctor.md"): DOCTOR_TITLE
        + "".join(f"| `{check.name}` | {_one_line(check.purpose)} |\n" for check in CHECKS),
        Path("docs/reference/damaged-state.md"): DAMAGE_TITLE
        + "".join(
            f"| {file.where} | {file.holds} | {file.lost} | {_one_line(file.describe_remedy())} |\n"
            for file in STATE_FILES.values()
        ),
        (SHIPPED / "dagster-postgres.yaml").relative_to(REPOSITORY): derive_postgresql_instance(
            (SHIPPED / "dagster.yaml").read_text()
        ),
    }


def spec_page(schema: Mapping[str, Any]) -> str:
    """Write the reference of all fields as Markdown, one table for each part of the specification.

    Args:
        schema: JSON schema of a defs.yaml, as `json_schema` returns it.
    """
    attributes = schema["properties"]["attributes"]
    parts = [SPEC_TITLE, *_part("attributes", attributes)]
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
            return " or ".join(_type(part) for part in about[several])
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


def write_documents(group: click.Group) -> None:
    """Write every document, and print which of them changed.

    Args:
        group: the command group `ml-assets`.
    """
    from ml_assets.resources.mlflow.connection import quiet_mlflow

    with quiet_mlflow():
        template = generate_template()
    for path, content in {**documents(group), TEMPLATE.relative_to(REPOSITORY): template}.items():
        target = REPOSITORY / path
        target.parent.mkdir(exist_ok=True)
        changed = not target.exists() or target.read_text() != content
        target.write_text(content)
        print(f"{path}: {'written' if changed else 'unchanged'}")
