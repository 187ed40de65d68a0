"""Training settings from the launchpad of a real webserver: an experiment, a candidate, and a refused value."""

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store
from ml_assets_tests.support.local_instance import LocalInstance

pytestmark = pytest.mark.slow
QUIET = {"sensor": {"enabled": False}, "schedule": {"enabled": False}, "freshness": {"deadline": None}}
FIELDS = """query($selector: PipelineSelector!) { runConfigSchemaOrError(selector: $selector) { ... on RunConfigSchema {
    allConfigTypes { ... on CompositeConfigType { fields { name description isRequired } } } } } }"""


def training(**config: object) -> dict:
    """Build the configuration of the op of trained_model, as in the launchpad."""
    return {"ops": {"small__trained_model": {"config": config}}}


def test_a_run_from_the_launchpad_is_an_experiment_or_a_candidate(tmp_path: Path):
    model = {**SMALL, **QUIET}
    with LocalInstance(tmp_path, [model]) as instance:
        new_store(tmp_path)
        world = World(tmp_path, ModelSpec.model_validate(model))
        for number in range(1, 13):
            world.land(day(number), rows_of(day(number)))
        world.run(list(LANDED_TO_FEATURES), day(1), day(12))
        instance.start_webserver()
        instance.start_daemon()

        def assert_ends(run_id: str, status: str) -> None:
            def final_status() -> str | None:
                (current,) = [run["status"] for run in instance.runs() if run["runId"] == run_id]
                return current if current in ("SUCCESS", "FAILURE", "CANCELED") else None

            assert instance.wait("the end of the run", final_status, 400, every=1) == status, errors(run_id)

        def errors(run_id: str) -> str:
            return " ".join((event.get("error") or {}).get("message", "") for event in instance.events(run_id))

        selector = {
            "repositoryLocationName": "ml_assets",
            "repositoryName": "__repository__",
            "pipelineName": "small_daily",
        }
        types = instance.graphql(FIELDS, selector=selector)["runConfigSchemaOrError"]["allConfigTypes"]
        fields = {field["name"]: field for config_type in types for field in config_type.get("fields", [])}
        assert fields["eta"]["description"] == "Learning rate"
        assert not fields["candidate"]["isRequired"]

        assert_ends(instance.launch("small", day(12), job="daily", config=training(max_depth=2, rounds=3)), "SUCCESS")
        client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
        (experiment,) = client.search_experiments(filter_string="name = 'small'")
        (run,) = client.search_runs([experiment.experiment_id], "tags.experiment = 'true'")
        assert (run.data.params["max_depth"], run.info.status) == ("2", "FINISHED")
        assert not client.search_model_versions("name = 'small'")
        assert world.stages().training.row(day(12))["model_digest"] is None

        assert_ends(
            instance.launch("small", day(12), job="daily", config=training(max_depth=2, rounds=3, candidate=True)),
            "SUCCESS",
        )
        row = world.stages().training.row(day(12))
        assert row["model_digest"] == run.data.tags["model_digest"]
        assert json.loads((tmp_path / "lake" / row["artifacts"] / "passport.json").read_text())["overrides"] == {
            "max_depth": 2,
            "rounds": 3,
        }
        assert len(client.search_model_versions("name = 'small'")) == 1

        refused = instance.launch("small", day(12), job="daily", config=training(eta=2.0))
        assert_ends(refused, "FAILURE")
        assert "training.parameters.eta: Input should be less than or equal to 1, not 2.0" in errors(refused)
