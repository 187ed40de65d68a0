"""Every command that a message names exists. What the commands of releases restore is in the tests of restoration."""

import ast
import re

import click
import pytest

from ml_assets.cli.command_group import cli
from ml_assets.definitions import DEFS

PACKAGE = DEFS.parent
COMMAND = re.compile(r"`(?:\{?\w*\}?[A-Z_]+=\S+ )*(make|ml-assets|mlflow|dagster|dagster-daemon|dg) ([a-z][\w -]*)")


def texts(source: str) -> list[str]:
    """Return the texts of a module other than docstrings; what is put into an f-string is left out."""
    tree = ast.parse(source)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in joined for part in node.values}
    plain = [
        str(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (parts | documentation)
    ]
    formatted = ["".join(str(part.value) for part in node.values if isinstance(part, ast.Constant)) for node in joined]
    return plain + formatted


def named_commands() -> list[tuple[str, str]]:
    found = {
        (program, arguments.strip())
        for path in PACKAGE.rglob("*.py")
        for text in texts(path.read_text())
        for program, arguments in COMMAND.findall(text)
    }
    return sorted(found)


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
        found = command.get_command(click.Context(command), name)
        assert found is not None, name
        command = found
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options
