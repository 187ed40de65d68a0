"""The project of a process, from its folder or from ML_ASSETS_PROJECT."""

from pathlib import Path

import pytest

from ml_assets.defs.project import PROJECT, REPOSITORY, find_project, project_root, read_project
from ml_assets.defs.settings import data_folder


@pytest.fixture
def project(tmp_path) -> Path:
    root = tmp_path / "shop"
    (root / "src" / "shop" / "defs").mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n\n[tool.dg.project]\nroot_module = "shop"\n'
    )
    return root


def test_the_nearest_project_above_a_folder_is_its_project(project):
    assert find_project(project / "src" / "shop" / "defs") == project
    assert find_project(project) == project
    assert find_project(project.parent) is None


def test_a_pyproject_without_dagster_or_a_workspace_is_no_project(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert find_project(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text('[tool.dg]\ndirectory_type = "workspace"\n')
    assert find_project(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text("[tool.dg\n")
    assert find_project(tmp_path) is None


def test_a_dg_toml_is_a_project(tmp_path):
    (tmp_path / "dg.toml").write_text('directory_type = "project"\n[project]\nroot_module = "shop"\n')
    assert read_project(tmp_path).definitions == "shop.definitions"


def test_the_variable_comes_before_the_folder_and_a_clone_after_it(project, tmp_path):
    assert project_root({PROJECT: str(project)}, REPOSITORY) == project
    assert project_root({}, project / "src") == project
    assert project_root({}, tmp_path) == REPOSITORY


def test_the_pyproject_of_another_wheel_beside_the_package_is_no_project(project, tmp_path, monkeypatch):
    # The wheel of a project that `create-dagster` makes has its pyproject.toml at the root.
    monkeypatch.setattr("ml_assets.defs.project.REPOSITORY", project)
    assert find_project(project) is None
    assert project_root({}, tmp_path) == tmp_path


def test_the_folder_of_a_workspace_names_its_projects(project):
    (project.parent / "dg.toml").write_text(
        'directory_type = "workspace"\n[workspace]\n[[workspace.projects]]\npath = "shop"\n'
        '[[workspace.projects]]\npath = "risk"\n'
    )
    assert project_root({}, project.parent) == project.parent
    with pytest.raises(ValueError, match=r"is a workspace of several Dagster projects.*--project: shop, risk"):
        read_project(project.parent)


def test_state_is_in_the_project(project):
    assert data_folder({PROJECT: str(project)}) == project / "data"


def test_the_defaults_are_those_of_dg(project):
    read = read_project(project)
    assert read.defs == project / "src" / "shop" / "defs"
    assert read.definitions == "shop.definitions"
    assert not read.is_own
    (project / "pyproject.toml").write_text(
        '[tool.dg.project]\nroot_module = "shop"\ndefs_module = "shop.models"\n'
        'code_location_target_module = "shop.location"\n'
    )
    assert read_project(project).defs == project / "src" / "shop" / "models"
    assert read_project(project).definitions == "shop.location"


def test_this_repository_is_a_project_too():
    assert read_project(REPOSITORY).is_own
    assert read_project(REPOSITORY).defs == REPOSITORY / "ml_assets" / "defs"
    assert find_project(REPOSITORY / "docs") == REPOSITORY


def test_another_folder_is_refused_with_what_a_project_has(tmp_path):
    with pytest.raises(ValueError, match=r"is no Dagster project: it has no pyproject.toml with \[tool.dg.project\]"):
        read_project(tmp_path)
