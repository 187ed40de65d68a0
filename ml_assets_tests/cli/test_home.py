"""DAGSTER_HOME gets the settings of the package, and a file of a person stays."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ml_assets.cli.home import SHIPPED, create_home, list_differences
from ml_assets.defs.settings import Settings, read_settings


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "data" / "dagster"))
    return read_settings({"DAGSTER_HOME": str(tmp_path / "data" / "dagster")})


def test_a_new_home_has_a_link_to_the_settings_of_the_package(settings):
    assert create_home(settings).resolve() == SHIPPED / "dagster.yaml"
    assert create_home(settings).resolve() == SHIPPED / "dagster.yaml"


def test_the_link_follows_the_database_and_back(settings):
    create_home(settings)
    with_database = replace(settings, database="postgresql://ann@db/dagster")
    assert create_home(with_database).resolve() == SHIPPED / "dagster-postgres.yaml"
    assert create_home(settings).resolve() == SHIPPED / "dagster.yaml"


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_link_to_another_copy_of_the_package_is_made_anew(settings, tmp_path, is_gone):
    clone = tmp_path / "clone"
    (clone / "ml_assets").mkdir(parents=True)
    (clone / "ml_assets" / "definitions.py").touch()
    (clone / "dagster.yaml").touch()
    file = Path(settings.dagster_home) / "dagster.yaml"
    file.parent.mkdir(parents=True)
    file.symlink_to(clone / "dagster.yaml")
    if is_gone:
        shutil.rmtree(clone)
    assert create_home(settings).resolve() == SHIPPED / "dagster.yaml"


@pytest.mark.parametrize("is_link", [True, False])
def test_a_file_or_link_of_a_person_stays(settings, tmp_path, is_link):
    own, file = tmp_path / "own.yaml", Path(settings.dagster_home) / "dagster.yaml"
    own.write_text("telemetry: {enabled: false}\n")
    file.parent.mkdir(parents=True)
    if is_link:
        file.symlink_to(own)
    else:
        shutil.copy(own, file)
    assert create_home(settings).read_text() == own.read_text()
    assert file.is_symlink() == is_link


def test_where_no_link_can_be_made_the_settings_are_copied(settings, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    file = create_home(settings)
    assert not file.is_symlink()
    assert file.read_text() == (SHIPPED / "dagster.yaml").read_text()


def test_differences_name_each_setting_but_not_the_storages(settings):
    shipped = yaml.safe_load((SHIPPED / "dagster.yaml").read_text())
    assert list_differences(shipped, settings) == []
    changed = {**shipped, "storage": {"sqlite": {}}, "run_retries": {**shipped["run_retries"], "max_retries": 5}}
    del changed["freshness"], changed["event_log_storage"]
    assert list_differences(changed, settings) == [
        "freshness.enabled: not set (shipped: True)",
        "run_retries.max_retries: 5 (shipped: 1)",
    ]


def test_a_section_of_another_class_or_of_nobody_else_is_one_difference(settings):
    shipped = yaml.safe_load((SHIPPED / "dagster.yaml").read_text())
    launcher = {"module": "dagster_k8s", "class": "K8sRunLauncher", "config": {"job_namespace": "ml-assets"}}
    changed = {**shipped, "run_launcher": launcher, "sensors": {"use_threads": True, "num_workers": 4}}
    assert list_differences(changed, settings) == [
        "run_launcher: K8sRunLauncher (shipped: MonitoredRunLauncher)",
        "sensors: set (shipped: not set)",
    ]
