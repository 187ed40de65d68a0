"""A missing extra is named with the command that installs it."""

import re
import tomllib

import pytest

from ml_assets.core.extras import EXTRAS, MissingExtra, needs_extra
from ml_assets.core.operations.failures.classification import Failure, classify
from ml_assets.defs.settings import REPOSITORY


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_message_says_what_needs_it_and_how_to_install_it(extra):
    module = f"{EXTRAS[extra][0]}.part"
    with pytest.raises(MissingExtra) as raised, needs_extra(extra, "a lake on S3"):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    assert str(raised.value) == (
        f"a lake on S3 needs the package {module}, which is not installed. Install ml_assets with its extra: "
        f"pip install 'ml_assets[{extra}]'"
    )
    assert classify(raised.value) is Failure.STATED


def test_other_errors_of_an_import_stay_as_they_are():
    for error in (ModuleNotFoundError("no", name="pandas"), ImportError("cannot import name", name="optuna")):
        with pytest.raises(type(error)) as raised, needs_extra("search", "a search"):
            raise error
        assert raised.value is error


def test_the_extras_are_those_of_the_project():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert {*extras} - {"all", "image"} == {*EXTRAS}
    names = re.findall(r"\[(.*)\]", extras["all"][0] + extras["image"][0].replace("[", ",[").replace("]", "],"))
    assert {*re.split(r"\W+", " ".join(names))} >= {*EXTRAS} - {"polars"}
    base = {re.split(r"[>=\[;]", line)[0].replace("-", "_") for line in project["dependencies"]}
    assert base.isdisjoint(module for modules in EXTRAS.values() for module in modules)
