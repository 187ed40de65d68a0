"""The documentation is a site: every page has a place in it, links lead somewhere, and commands exist."""

import importlib.util
import re
import shlex
import subprocess
import sys
from types import ModuleType

import click
import pytest
import yaml

from ml_assets.cli.command_group import cli
from ml_assets_tests.test_repository import REPOSITORY, name_of

DOCS = REPOSITORY / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), REPOSITORY / "README.md", REPOSITORY / "helm" / "README.md"])
# Files that messages, comments and settings name.
NAMED = re.compile(r"\bdocs/[\w/-]+\.md(?:#[\w-]+)?")


def load_hooks() -> ModuleType:
    """Import the hooks of the site."""
    module_spec = importlib.util.spec_from_file_location("site_pages", DOCS / "site_pages.py")
    assert module_spec is not None
    assert module_spec.loader is not None
    hooks = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(hooks)
    return hooks


def pages_of(part) -> list[str]:
    """List the pages of a part of the navigation."""
    if isinstance(part, str):
        return [part]
    return [page for entry in (part.values() if isinstance(part, dict) else part) for page in pages_of(entry)]


def test_every_page_stands_once_in_the_navigation():
    navigation = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text())["nav"]
    pages = pages_of(navigation)
    assert sorted(pages) == sorted(
        [str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")] + [*load_hooks().SOURCES]
    )


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path):
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    elsewhere = re.compile(
        r"""<(?:script|img|iframe)[^>]+src=["']?https?:|<link[^>]+stylesheet[^>]+href=["']?https?:"""
    )
    assert [page.name for page in tmp_path.rglob("*.html") if elsewhere.search(page.read_text())] == []


def test_links_of_a_page_lead_to_pages_of_the_site_or_become_text():
    resolve_links = load_hooks().resolve_links
    text = "[a](../../helm/README.md#secrets) [b](../reference/spec.md) [`c`](../../Dockerfile) [d](https://x) [e](#f)"
    assert resolve_links(text, "how-to/alerts.md") == (
        "[a](install-on-kubernetes.md#secrets) [b](../reference/spec.md) `c` [d](https://x) [e](#f)"
    )
    assert resolve_links("[a](docs/how-to/s3.md) [b](nowhere.md)", "project/changelog.md") == (
        "[a](../how-to/s3.md) [b](nowhere.md)"
    )


def test_the_readme_takes_two_minutes():
    assert (REPOSITORY / "README.md").read_text().count("\n") <= 120


def test_every_page_that_a_file_names_exists():
    listed = subprocess.check_output(["git", "ls-files"], cwd=REPOSITORY, text=True).splitlines()
    files = [REPOSITORY / name for name in listed if name.endswith((".py", ".yaml", ".yml", ".toml"))]
    texts = {name_of(path): path.read_text() for path in files if path.is_file()}
    named = {(name, page) for name, text in texts.items() for page in NAMED.findall(text) if "://" not in page}
    named = {(name, page) for name, page in named if not name.startswith("ml_assets_tests/helm")}
    assert len(named) > 20
    assert [(name, page) for name, page in sorted(named) if not (REPOSITORY / page.partition("#")[0]).exists()] == []


def documented_commands() -> list[tuple[str, str]]:
    """List each line of a code block that begins with `ml-assets`, with its page."""
    return [
        (name_of(page), line.strip().removeprefix("$ "))
        for page in PAGES
        if page.name != "cli.md"
        for block in re.findall(r"```\w*[^\n]*\n(.*?)```", page.read_text(), re.DOTALL)
        for line in block.splitlines()
        if re.match(r"(?:\$ )?ml-assets (?!VERB)[a-z-]", line.strip())
    ]


@pytest.mark.parametrize(("page", "line"), documented_commands())
def test_every_command_of_a_page_can_be_parsed(page, line):
    command: click.Command = cli
    arguments = shlex.split(line.split(" | ")[0], comments=True)[1:]
    if arguments[0].startswith("-"):
        return
    while isinstance(command, click.Group) and arguments and arguments[0] in command.commands:
        command = command.commands[arguments.pop(0)]
    assert command is not cli, line
    if isinstance(command, click.Group):
        assert arguments == [], line
    else:
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in arguments if word.startswith("-")} <= options, line
