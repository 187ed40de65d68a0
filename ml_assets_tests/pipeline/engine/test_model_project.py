"""Two projects on one lake with a model of the same name."""

from pathlib import Path

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.automation.arrivals_sensor import arrivals_sensor
from ml_assets.pipeline.automation.jobs import features_job
from ml_assets.pipeline.engine.model_project import ModelOfAnotherProject, check_project, claim_model, name_project
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets.pipeline.graph.translation import Translation
from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of, tags_of


def test_all_definitions_of_a_project_have_its_name():
    names = ("shop.defs", "shop.defs.churn", "acme.defsmith.defs", "shop.models")
    assert [name_project(name) for name in names] == ["shop", "shop", "acme.defsmith", "shop.models"]


def test_the_first_project_keeps_the_tables_and_the_message_names_both(tmp_path: Path):
    lake = Lake(uri=str(tmp_path / "lake"))
    for _ in range(2):
        claim_model(lake, "churn", name_project("acme.shop.defs"))
    claim_model(lake, "returns", "risk")
    with pytest.raises(ModelOfAnotherProject, match=r"churn: the project acme\.shop has .* which risk also uses\."):
        claim_model(lake, "churn", "risk")
    with pytest.raises(ModelOfAnotherProject, match=r"delete .*/lake/churn/project\.txt"):
        check_project(lake.files, lake.uri, "churn", "risk")
    (tmp_path / "lake" / "churn" / "project.txt").unlink()
    claim_model(lake, "churn", "risk")


def test_a_run_of_the_second_project_changes_nothing(tmp_path: Path):
    world = World(tmp_path, ModelSpec.model_validate(SMALL))
    world.land(day(1), rows_of(day(1)))

    def run(project: str) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            build_assets(world.spec, Translation(project=project)),
            selection=[dg.AssetKey(["small", "raw_data"])],
            tags=tags_of(day(1)),
            resources=world.resources(),
            raise_on_error=False,
        )

    assert run("shop").success
    before = world.stages().ingestion.tables["raw_data"].version()
    result = run("risk")
    (failure,) = (event.step_failure_data for event in result.all_events if event.is_step_failure)
    assert "the project shop has a model of this name" in (failure.error.message if failure.error else "")
    assert world.stages().ingestion.tables["raw_data"].version() == before


def test_the_sensor_of_the_second_project_requests_no_runs(tmp_path: Path):
    world = World(tmp_path, ModelSpec.model_validate(SMALL))
    claim_model(world.lake, "small", "shop")
    sensor = arrivals_sensor(world.spec, features_job(world.spec), "risk")
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(ModelOfAnotherProject, match="the project shop has a model of this name"),
    ):
        sensor(dg.build_sensor_context(instance, resources={"lake": world.lake, "landing": world.landing}))
