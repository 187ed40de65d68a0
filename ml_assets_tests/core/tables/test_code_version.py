"""The code version of a stage follows every module of the core that the stage uses, and no other."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from ml_assets.core.tables import code_version as module
from ml_assets.core.tables.code_version import code_version
from ml_assets.definitions import DEFS

PACKAGE = DEFS.parent
STAGES = {
    "ingestion.stage": ("ingestion.values.type_conversion", "validation.contract"),
    "validation.stage": ("validation.violations", "features.point_in_time", "operations.reports.html"),
    "features.stage": ("features.exact_sums", "training.train"),
    "training.search_stage": ("training.boosting", "training.provenance"),
    "training.stage": ("features.label_join", "training.hyperparameter_search", "operations.reports.html"),
    "evaluation.stage": ("metrics.bootstrap", "training.train", "plots.shap"),
    "release.registration_stage": ("evaluation.gates", "release.canary_policy"),
    "release.deployment_stage": ("metrics.paired_proportions", "training.train"),
    "release.predictions_stage": ("model.scorer", "training.train"),
}


def forget() -> None:
    code_version.cache_clear()
    module._path.cache_clear()


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A folder of importable modules, as `write(name, source)`."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, source: str) -> None:
        path = tmp_path / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        forget()

    yield write
    forget()


CODE = """
import json, pathlib, sys
from ml_assets.core.tables.code_version import code_version

def versions():
    code_version.cache_clear()
    return {stage: code_version(f"ml_assets.pipeline.{stage}") for stage in stages}

stages, changed = json.loads(sys.argv[1]), json.loads(sys.argv[2])
result = {"": versions()}
for name in changed:
    path = pathlib.Path("ml_assets/core") / (name.replace(".", "/") + ".py")
    source = path.read_text()
    path.write_text(source + "\\nCHANGED = True\\n")
    result[name] = versions()
    path.write_text(source)
print(json.dumps(result))
"""


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """The version of each stage by the module that was changed in a copy of the package; "" is for no change."""
    root = tmp_path_factory.mktemp("code")
    ignored = shutil.ignore_patterns("__pycache__", "defs", "cli", "service")
    shutil.copytree(PACKAGE, root / "ml_assets", ignore=ignored)
    names = sorted({name for pair in STAGES.values() for name in pair})
    command = [sys.executable, "-c", CODE, json.dumps([*STAGES]), json.dumps(names)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("stage", STAGES)
def test_a_change_counts_for_the_stages_that_use_the_module_and_no_other(versions, stage):
    used, *unused = STAGES[stage]
    assert versions[used][stage] != versions[""][stage]
    assert {versions[name][stage] for name in unused} == {versions[""][stage]}


@pytest.mark.parametrize(
    "statement",
    [
        "import ml_assets.core.evaluation.gates",
        "import ml_assets.core.evaluation.gates as rules",
        "from ml_assets.core.evaluation import gates",
        "from ml_assets.core.evaluation import (\n    gates as rules,\n)",
        "from ml_assets.core.evaluation.gates import *",
        "def use():\n    from ml_assets.core.evaluation.gates import all_passed",
        "try:\n    import ml_assets.core.evaluation.gates\nexcept ImportError:\n    pass",
        "if True: from ml_assets.core.evaluation.gates import all_passed",
    ],
)
def test_every_form_of_import_counts(modules, statement):
    modules("imports_nothing", "x = 1\n")
    alone = code_version("imports_nothing")
    modules("imports_nothing", f"x = 1\n{statement}\n")
    with_import = code_version("imports_nothing")
    sources = module._sources("imports_nothing", lambda name: name.startswith("ml_assets.core."))
    assert with_import != alone
    assert "ml_assets.core.evaluation.gates" in sources


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_imports_for_type_checkers_do_not_count(modules, test):
    modules("typed", f"import typing\nif {test}:\n    from ml_assets.core.evaluation.gates import GateResult\n")
    assert set(module._sources("typed", lambda name: name.startswith("ml_assets.core"))) == {"typed"}


def test_relative_imports_count(modules):
    modules("a_package.__init__", "")
    modules("a_package.hook", "from . import helper\nfrom .deeper import more\n")
    modules("a_package.deeper.__init__", "from .more import x\n")
    modules("a_package.deeper.more", "from ..helper import y\nx = 1\n")
    modules("a_package.helper", "y = 1\n")
    before = code_version("ml_assets.pipeline.features.stage", "a_package.hook")
    modules("a_package.helper", "y = 2\n")
    assert code_version("ml_assets.pipeline.features.stage", "a_package.hook") != before


def test_a_hook_in_a_single_file_counts_with_the_files_beside_it(modules):
    modules("a_hook", "import json\nimport beside\n")
    modules("beside", "x = 1\n")
    before = code_version("ml_assets.pipeline.features.stage", "a_hook")
    modules("beside", "x = 2\n")
    assert code_version("ml_assets.pipeline.features.stage", "a_hook") != before


def test_the_version_follows_the_source_without_importing_it(modules):
    modules("a_stage_module", "x = 1\n")
    before = code_version("a_stage_module")
    modules("a_stage_module", "x = 2\n")
    assert code_version("a_stage_module") != before
    assert "a_stage_module" not in sys.modules


def test_line_ends_of_windows_do_not_count(modules, tmp_path):
    modules("a_stage_module", "x = 1\ny = 2\n")
    before = code_version("a_stage_module")
    (tmp_path / "a_stage_module.py").write_bytes(b"x = 1\r\ny = 2\r\n")
    code_version.cache_clear()
    assert code_version("a_stage_module") == before


def test_a_missing_module_is_named():
    with pytest.raises(ModuleNotFoundError, match="no_such_module has no Python source"):
        code_version("no_such_module")


def test_packages_of_the_core_hold_no_code():
    inits = [path for path in (PACKAGE / "core").rglob("__init__.py") if path.parent.name != "model_spec"]
    assert all(path.read_text().strip().endswith('"""') and path.read_text().count('"""') == 2 for path in inits)


def test_no_module_of_the_core_is_imported_by_a_name_in_a_string():
    sources = {path: path.read_text() for path in (PACKAGE / "core").rglob("*.py")}
    dynamic = {path.name for path, source in sources.items() if "import_module" in source or "__import__" in source}
    assert dynamic == {"custom.py"}
