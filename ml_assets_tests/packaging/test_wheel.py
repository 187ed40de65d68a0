"""The wheel has the package without its tests and without the demonstration."""

import subprocess
import tomllib
from zipfile import ZipFile

import pytest

from ml_assets.defs.settings import REPOSITORY
from ml_assets_tests.packaging.wheel import build_wheel


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files of the wheel."""
    return ZipFile(build_wheel(tmp_path_factory.mktemp("wheel"))).namelist()


def test_it_has_no_tests_and_no_demonstration(names):
    tops = {name.partition("/")[0].partition("-")[0] for name in names}
    assert tops == {"ml_assets"}
    assert [name for name in names if "fraud_detection" in name or "/demo/" in name or "simulat" in name] == []


def test_it_has_every_other_file_of_the_package(names):
    demo = ("ml_assets/defs/fraud_detection/", "ml_assets/cli/demo/")
    listed = subprocess.check_output(["git", "ls-files", "ml_assets"], cwd=REPOSITORY, text=True).splitlines()
    assert [name for name in listed if not name.startswith(demo) and name not in names] == []
    assert "ml_assets/resources/dagster_instance/dagster.yaml" in names


def test_the_extras_of_the_wheel_are_those_of_users():
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert not {"dev", "docs", "audit"} & {*extras}
