"""Every command that a message names exists. What the commands of releases restore is in the tests of restoration."""

import ast
import re
from functools import cache

import click
import pytest

from ml_assets.cli.command_group import cli
from ml_assets.definitions import DEFS

PACKAGE = DEFS.parent
# A module without such a text is not parsed.
PROGRAM = re.compile(r"[`\s](make|ml-assets|mlflow|dagster|dagster-daemon|dg) [a-z]")
COMMAND = re.compile(r"`(?:\{?\w*\}?[A-Z_]+=\S+ )*(make|ml-assets|mlflow|dagster|dagster-daemon|dg) ([a-z][\w -]*)")


def texts(source: str) -> list[str]:
    """Return the texts of a module other than docstrings; what is put into an f-string is left out."""
    nodes = list(ast.walk(ast.parse(source)))
    documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    joined = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    excluded = documentation.union(id(part) for node in joined for part in node.values)
    constants = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in excluded]
    plain = [node.value for node in constants if isinstance(node.value, str)]
    formatted = ["".join(str(part.value) for part in node.values if isinstance(part, ast.Constant)) for node in joined]
    return plain + formatted


def named_commands() -> list[tuple[str, str]]:
    sources = [source for path in PACKAGE.rglob("*.py") if PROGRAM.search(source := path.read_text())]
    commands = {match for source in sources for text in texts(source) for match in COMMAND.findall(text)}
    return sorted({(program, arguments.strip()) for program, arguments in commands})


@cache
def groups() -> dict[str, click.Command]:
    """Return the command of each program."""
    from dagster._cli import create_dagster_cli
    from dagster._daemon.cli import create_dagster_daemon_cli
    from dagster_dg_cli.cli import create_dg_cli
    from mlflow.cli import cli as mlflow

    return {
        "ml-assets": cli,
        "mlflow": mlflow,
        "dagster": create_dagster_cli(),
        "dagster-daemon": create_dagster_daemon_cli(),
        "dg": create_dg_cli(),
    }


def test_messages_name_commands():
    expected = {("ml-assets", "doctor"), ("ml-assets", "restore"), ("mlflow", "experiments restore -x")}
    assert expected <= set(named_commands())


@pytest.mark.parametrize(("program", "arguments"), named_commands())
def test_a_command_that_a_message_names_exists(program, arguments):
    words = arguments.split()
    if program == "make":
        makefile = (PACKAGE.parent / "Makefile").read_text()
        assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE)
        return
    # The types of components are not in the command itself.
    words = words[:2] if program == "dg" else words
    command = groups()[program]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        subcommand = command.get_command(click.Context(command), name)
        assert subcommand is not None, name
        command = subcommand
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options
