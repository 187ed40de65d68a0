"""Definitions of a project that cannot be loaded are refused with the file at fault."""

from types import SimpleNamespace

import click
import dagster as dg
import pytest
import yaml

from ml_assets.cli import project
from ml_assets_tests.conftest import SMALL


def test_models_of_one_name_are_named_with_their_files(tmp_path, monkeypatch):
    for folder in ("small", "other"):
        (tmp_path / folder).mkdir()
        content = {"type": "ml_assets.ModelPipeline", "attributes": SMALL}
        (tmp_path / folder / "defs.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setattr(project, "current_project", lambda: SimpleNamespace(is_own=False, defs=tmp_path))
    with pytest.raises(click.UsageError, match="two models have one name") as refused:
        project.load_definitions()
    assert f"{tmp_path}/other/defs.yaml" in refused.value.message
    assert "small is also the name of the model" in refused.value.message


@dg.sensor(target="*")
def first_sensor() -> None: ...


@dg.sensor(name="first_sensor", target="*")
def second_sensor() -> None: ...


@pytest.mark.parametrize(
    "parts",
    [
        [dg.Definitions(resources={"lake": object()}), dg.Definitions(resources={"lake": object()})],
        [dg.Definitions(executor=dg.in_process_executor), dg.Definitions(executor=dg.multiprocess_executor)],
        [dg.Definitions(sensors=[first_sensor]), dg.Definitions(sensors=[second_sensor])],
    ],
)
def test_definitions_that_collide_are_told_from_a_broken_component(parts):
    with pytest.raises(Exception) as refused:  # noqa: PT011
        dg.Definitions.merge(*parts).get_repository_def()
    assert project.COLLISION.search(str(refused.value))
