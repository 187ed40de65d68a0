"""The remedies that the doctor's rules name, read from their source."""

import ast
from collections.abc import Iterator

from ml_assets.core.operations.doctor import (
    environment_checks,
    instance_checks,
    permission_checks,
    storage_checks,
)
from ml_assets.resources.probes import storage_probe
from ml_assets.resources.storage import conditional_puts, s3_errors
from ml_assets_tests.cli.remedies.test_named_commands import PACKAGE

RULES = (environment_checks, instance_checks, permission_checks, storage_checks)
PROBES = (storage_probe, s3_errors, conditional_puts)
CONSTRUCTORS = ("error", "warning", "error_in_production")


def remedies() -> list[str]:
    """Return the remedies of all rules and of the probes of locations; `{}` stands for what is put into a text."""
    rules = [text for module in RULES for text in _of_rules(_tree(module))]
    return sorted({*rules, *(text for module in PROBES for text in _of_probes(_tree(module)))})


def _tree(module) -> ast.Module:
    path = PACKAGE.parent.joinpath(*module.__name__.split(".")).with_suffix(".py")
    return ast.parse(path.read_text())


def _of_rules(tree: ast.Module) -> Iterator[str]:
    """Yield the last argument of each call that makes a diagnosis, or what was assigned to its name before."""
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        assigned: dict[str, list[tuple[int, ast.expr]]] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                assigned.setdefault(node.targets[0].id, []).append((node.lineno, node.value))
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CONSTRUCTORS:
                remedy = node.args[-1]
                if isinstance(remedy, ast.Name):
                    before = [value for line, value in assigned.get(remedy.id, []) if line < node.lineno]
                    if not before:
                        continue
                    remedy = before[-1]
                # Joined texts are those of state files, which resources/probes/test_state_probe.py carries out.
                if not isinstance(remedy, ast.Call):
                    yield _text(remedy)


def _of_probes(tree: ast.Module) -> Iterator[str]:
    """Yield the sentences after the first of each returned text that has several."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.JoinedStr):
            _, separator, remedy = _text(node.value).partition(". ")
            if separator:
                yield remedy


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr), ast.dump(node)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
