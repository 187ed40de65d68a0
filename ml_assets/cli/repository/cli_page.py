"""docs/reference/cli.md: the verbs of `ml-assets`, from their definitions, with the fields of their JSON documents."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from ml_assets.cli.json_output import reports
from ml_assets.cli.verb import EXIT_CODES, Verb

INTRODUCTION = """\
# The command `ml-assets`

Everything that a user does with a model from a shell. `ml-assets --help` lists the verbs, `ml-assets VERB --help` \
their options with examples.

Generated from `ml_assets/cli` by `make docs`: do not edit.

## In your shell

In a clone, `make run` installs it as `.venv/bin/ml-assets`. This finds it in a shell, with `dg`, `dagster` and the \
instance of the clone, until the shell ends:

```sh
eval "$(make env)"
```

In a project of your own (`pip install ml_assets`), activate the environment of the project. Messages name the command \
as you typed it, such as `.venv/bin/ml-assets releases`, so that commands in messages can be pasted.

- **The project.** A verb works on the Dagster project of the current folder, or of the nearest folder above it: its \
`pyproject.toml` has the table `[tool.dg.project]`. Outside of a project it is the clone that the command belongs to. \
`--project FOLDER` chooses another one, before or after the verb. State is in `data` of the project unless the \
[variables](environment.md) name other places. MODEL may be left out where a project has one model.
- **`.env`.** Variables in the file `.env` of the project are set, as `dg dev` sets them; those of the shell come first.
- **JSON.** With `--json` standard output is one JSON document, and what people read goes to standard error. Fields \
are added, never renamed or removed. A verb that ends without figures prints `{"error": "...", "exit_code": 1}`; \
with exit code 2 it prints nothing.
- **Terminals.** Colours, bars and boxes appear in a terminal only; `NO_COLOR=1` switches colours off there, too.
- **Ctrl-C** ends a verb with a sentence that says what is kept and which command continues. Nothing is half-written.
- **Completion** of verbs and options. Put the line of your shell into its start-up file:

```sh
eval "$(_ML_ASSETS_COMPLETE=bash_source ml-assets)"    # ~/.bashrc
eval "$(_ML_ASSETS_COMPLETE=zsh_source ml-assets)"     # ~/.zshrc
_ML_ASSETS_COMPLETE=fish_source ml-assets | source     # ~/.config/fish/completions/ml-assets.fish
```

## Exit codes

| code | meaning |
|---|---|
"""
AFTER_CODES = """
`make` passes a failure of its verbs on, but has one exit code for all of them: 2.
"""


def cli_page(group: click.Group) -> str:
    """Write the page as Markdown.

    Args:
        group: the command group `ml-assets`.
    """
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    lines = [INTRODUCTION + codes + AFTER_CODES, "## Verbs", ""]
    for name, command in sorted(group.commands.items()):
        lines += _verb(group, name, command)
        if isinstance(command, click.Group):
            for inner, of_group in sorted(command.commands.items()):
                lines += _verb(group, f"{name} {inner}", of_group)
    return "\n".join(lines).rstrip("\n") + "\n"


def _verb(group: click.Group, name: str, command: click.Command) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{_one_line(command.help or '')}\n"
    with click.Context(command, info_name=f"ml-assets {name}") as context:
        usage = " ".join(command.collect_usage_pieces(context))
        options = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    yield f"```text\nml-assets {name} {usage}\n```\n"
    options = [option for option in options if option[1] and not option[0].startswith(("--json", "--project"))]
    if options:
        yield "| option | |\n|---|---|"
        for option, text in options:
            yield f"| `{option.replace('|', chr(92) + '|')}` | {_one_line(text)} |"
        yield ""
    if isinstance(command, Verb):
        yield "```sh"
        yield from (f"ml-assets {example}" for example in command.examples)
        yield "```\n"
        if command.report is not None:
            same = [verb.name for verb in group.commands.values() if getattr(verb, "report", None) == command.report]
            if same and same[0] != name:
                yield f"`--json`: as of [{same[0]}](#{same[0]}).\n"
            else:
                yield from _report(command.report)


def _report(name: str) -> Iterator[str]:
    schema = getattr(reports, name).model_json_schema()
    yield f"`--json`: {_one_line(schema['description'])}\n"
    yield "| field | type | |\n|---|---|---|"
    yield from _fields(schema, schema.get("$defs", {}), "")
    yield ""


def _fields(schema: Mapping[str, Any], parts: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for field, about in schema["properties"].items():
        kind, inner, suffix = _type(about, parts)
        yield f"| `{prefix}{field}` | {kind} | {_one_line(about.get('description', ''))} |"
        if inner is not None:
            yield from _fields(inner, parts, f"{prefix}{field}{suffix}.")


def _type(about: Mapping[str, Any], parts: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None, str]:
    """Return the name of a type; for objects also their schema and the separator before the name of a field."""
    if "$ref" in about:
        return "object", parts[about["$ref"].rsplit("/", 1)[-1]], ""
    if "anyOf" in about:
        kinds = [_type(option, parts) for option in about["anyOf"]]
        inner, suffix = next(((schema, end) for _, schema, end in kinds if schema is not None), (None, ""))
        return " or ".join(kind for kind, _, _ in kinds), inner, suffix
    if about.get("type") == "array":
        kind, inner, _ = _type(about["items"], parts)
        return f"list of {kind}s", inner, "[]"
    if about.get("type") == "object" and isinstance(about.get("additionalProperties"), dict):
        kind, inner, _ = _type(about["additionalProperties"], parts)
        return f"map to {kind}", inner, "{}"
    kind = str(about.get("type", "any"))
    return {"date": "day", "date-time": "time"}.get(about.get("format", ""), kind), None, ""


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
