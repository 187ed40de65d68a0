"""The wheel of this copy of the repository."""

import subprocess
import sys
from pathlib import Path

import pytest

from ml_assets.defs.settings import REPOSITORY

# What setuptools' own backend builds, without a network and without a copy of the environment.
BUILD = "from setuptools.build_meta import build_wheel; import sys; print(build_wheel(sys.argv[1]))"


def build_wheel(root: Path) -> Path:
    """Build the wheel from the tracked files into an empty folder, and return its path."""
    pytest.importorskip("setuptools", "77")
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=REPOSITORY, text=True).split("\0")
    for name in filter(None, listed):
        if name.startswith(("ml_assets", "pyproject", "README", "LICENSE")) and (REPOSITORY / name).is_file():
            target = root / "source" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((REPOSITORY / name).read_bytes())
    command = [sys.executable, "-c", BUILD, str(root)]
    built = subprocess.run(command, cwd=root / "source", capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return next(root.glob("*.whl"))
