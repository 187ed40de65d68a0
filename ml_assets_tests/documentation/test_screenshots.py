"""The screenshots of the documentation can be taken from the UI as it is now, in a real browser, and are as large."""

import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from ml_assets_tests.test_repository import REPOSITORY

PICTURES = REPOSITORY / "docs" / "images"
OF_BENCHMARKS = {"benchmarks.png", "benchmarks_growth.png"}
# Pictures of the same pages differ in times and versions, not in what they show.
MINIMUM_BYTES = 10_000
# Groups, assets or sections that came or went change the size of what is cropped by more.
OTHER_LAYOUT = 0.05


def pixels(picture: Path) -> tuple[int, ...]:
    """Return width and height of a PNG."""
    return struct.unpack(">II", picture.read_bytes()[16:24])


def test_the_script_takes_every_picture_that_a_page_shows():
    script = (REPOSITORY / "docs" / "screenshots.py").read_text()
    taken = re.search(r"for take in \(([\w, ]+)\)", script)
    assert taken is not None
    names = {f"{name.strip()}.png" for name in taken.group(1).split(",")}
    assert {path.name for path in PICTURES.glob("*.png")} - OF_BENCHMARKS == names
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]
    shown = {Path(path).name for page in pages for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text())}
    assert shown - OF_BENCHMARKS == names


@pytest.mark.slow
def test_every_picture_can_be_taken(tmp_path):
    pytest.importorskip("selenium", reason="selenium is in the dependency group `screenshots`")
    if not shutil.which("chromedriver"):
        pytest.skip("Chromium and its driver are not installed")
    data = {name: str(tmp_path / name.rpartition("_")[2].lower()) for name in ("ML_ASSETS_LANDING", "ML_ASSETS_LAKE")}
    environment = {
        **os.environ,
        **data,
        "ML_ASSETS_DEPLOY": str(tmp_path / "deploy"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "DAGSTER_HOME": str(tmp_path / "dagster"),
    }
    for command in (["-m", "ml_assets.cli", "run"], ["docs/screenshots.py", str(tmp_path / "images")]):
        ended = subprocess.run(
            [sys.executable, "-W", "ignore", *command], cwd=REPOSITORY, env=environment, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
    names = {path.name for path in PICTURES.glob("*.png")} - OF_BENCHMARKS
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "images").glob("*.png")}
    assert sizes.keys() == names
    assert min(sizes.values()) > MINIMUM_BYTES
    shown = {name: pixels(PICTURES / name) for name in names}
    taken = {name: pixels(tmp_path / "images" / name) for name in names}
    assert taken == {name: pytest.approx(size, rel=OTHER_LAYOUT) for name, size in shown.items()}, "make screenshots"
