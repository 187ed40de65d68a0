"""Run the commands of a page, and compare or rewrite the output that the page shows.

In a block ```console, a line that begins with `$ ` is a command and the lines below it are its output; `...` stands for
any lines. A block with a title (```python title="split.py") is a file that exists before the commands below it run.
Commands that install, or that make and enter the project, are not run: the test has done it. Neither are blocks ```sh,
which start servers. To write the output of a page anew:

python -m ml_assets_tests.documentation.console_blocks docs/tutorial.md
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ml_assets.defs.settings import REPOSITORY

BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
SET_UP = ("python3 -m venv", "source ", "pip install", "create-dagster", "cd ", "dg scaffold")
SHOWN_FOLDER = "/home/you/parcels"
# What differs from run to run and from machine to machine.
VARYING = re.compile(r"\b\d+\.\d+(?= s\b|,|$)|\d+(?= s\b)")


def run_page(text: str, project: Path) -> str:
    """Write the files of a page into a project, run its commands, and return the page with their output.

    Raises:
        AssertionError: when a command fails that the page does not show with `exit code`.
    """
    written = ""
    position = 0
    for block in BLOCK.finditer(text):
        language, title, content = block.groups()
        written += text[position : block.start()]
        position = block.end()
        if title:
            path = project / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        if language == "console":
            written += f"```console\n{_run_block(content, project)}```"
        else:
            written += block.group()
    return written + text[position:]


def _run_block(content: str, project: Path) -> str:
    lines = []
    for part in re.split(r"^(?=\$ )", content, flags=re.MULTILINE):
        if not part:
            continue
        command, _, shown = part.partition("\n")
        if command.removeprefix("$ ").startswith(SET_UP):
            lines.append(part)
            continue
        output = _run(command.removeprefix("$ ").partition("  #")[0], project)
        kept = "\n...\n" in f"\n{shown}" and matches(shown, output)
        lines.append(f"{command}\n{shown if kept else output}")
    return "".join(lines)


def _run(command: str, project: Path) -> str:
    kept = {name: os.environ[name] for name in ("LANG", "HOME") if name in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**kept, "PATH": path, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "110", "NO_COLOR": "1"}
    ended = subprocess.run(
        ["bash", "-c", command],
        cwd=project,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert ended.returncode == 0, f"{command}\n{ended.stdout}"
    output = ended.stdout.replace(str(project.resolve()), SHOWN_FOLDER).replace(str(project), SHOWN_FOLDER)
    # A command without output has no line; those with output end in one line end.
    return "".join(f"{line.rstrip()}\n" for line in output.strip("\n").splitlines())


def matches(shown: str, output: str) -> bool:
    """Return whether an output is the one that a page shows, apart from seconds and lines that `...` stands for."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(VARYING.sub("0", line)) + r"\n" for line in shown.splitlines()
    )
    return re.fullmatch(pattern, "".join(f"{VARYING.sub('0', line)}\n" for line in output.splitlines())) is not None


def differing_blocks(text: str, written: str) -> list[tuple[str, str]]:
    """Return the blocks of a page that differ in more than seconds from those that `run_page` wrote."""
    pairs = zip(BLOCK.findall(text), BLOCK.findall(written), strict=True)
    return [(old[2], new[2]) for old, new in pairs if not matches(old[2], new[2])]


def write_project(root: Path) -> Path:
    """Write the project `parcels` as `create-dagster project parcels` and `dg scaffold defs` do."""
    write_empty_project(root)
    _run("dg scaffold defs ml_assets.ModelPipeline deliveries", root)
    return root


def write_empty_project(root: Path) -> None:
    """Write a project named as its folder, as `create-dagster project` does."""
    from ml_assets_tests.packaging.test_other_project import DEFINITIONS, PYPROJECT

    folder = root / "src" / root.name / "defs"
    folder.mkdir(parents=True)
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    (root / "pyproject.toml").write_text(PYPROJECT.replace("shop", root.name))
    (folder.parent / "definitions.py").write_text(DEFINITIONS)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as temporary:
        page.write_text(run_page(page.read_text(), write_project(Path(temporary) / "parcels")))
