"""The main path with all state in a real PostgreSQL server: Dagster's storage, and MLflow's store and registry.

Nothing that is stored contains the password.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster_postgres import PostgresEventLogStorage

from ml_assets.cli.run_in_process import run_days
from ml_assets.core.model_spec import ModelSpec
from ml_assets.definitions import DEFS
from ml_assets.defs.environment import build_environment
from ml_assets.defs.settings import read_settings
from ml_assets.pipeline.asset_names import MODEL_ASSETS, asset_key, landed_to_features
from ml_assets.pipeline.component import ModelPipeline
from ml_assets.resources.mlflow.connection import connect
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import again, day, rows_of
from ml_assets_tests.support.postgresql import PASSWORD, PostgresqlServer

SPEC = ModelSpec.model_validate(SMALL)
DAYS = [day(number) for number in range(1, 13)]
ASSETS = (*landed_to_features(SPEC), *MODEL_ASSETS)


class Deployment:
    """One machine whose ML_ASSETS_DATABASE is set: an instance, a landing, a lake, and MLflow beside Dagster."""

    def __init__(self, root: Path, database: str):
        self.database = database
        self.home = root / "dagster"
        self.home.mkdir()
        (self.home / "dagster.yaml").symlink_to(DEFS.parent / "resources/dagster_instance/dagster-postgres.yaml")
        self.settings = read_settings(
            {
                "ML_ASSETS_DATABASE": database,
                "ML_ASSETS_LANDING": str(root / "landing"),
                "ML_ASSETS_LAKE": str(root / "lake"),
                "MLFLOW_DEFAULT_ARTIFACT_ROOT": str(root / "mlartifacts"),
                "DAGSTER_HOME": str(self.home),
            }
        )
        for landed_day in DAYS:
            folder = root / "landing" / str(landed_day)
            folder.mkdir(parents=True)
            rows_of(landed_day).to_parquet(folder / "rows.parquet")

    def run_daily_job(self) -> list[dg.ExecuteInProcessResult]:
        """Load the definitions and run the daily job, from landed files to the registry entry of the newest day."""
        defs = dg.Definitions.merge(build_environment(self.settings), ModelPipeline(SPEC).build_defs(None))
        job = defs.resolve_job_def("small_daily")
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            parts = [(landed_to_features(SPEC), DAYS), (MODEL_ASSETS, DAYS[-1:])]
            return [run_days(job, instance, SPEC, names, days) for names, days in parts]


@pytest.fixture(scope="module")
def deployment(postgresql: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    database = postgresql.new_database()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ML_ASSETS_DATABASE", database)
        yield Deployment(tmp_path_factory.mktemp("deployment"), database)


@pytest.fixture(scope="module")
def first(deployment: Deployment) -> list[dg.ExecuteInProcessResult]:
    """Run the daily job for the first time."""
    return deployment.run_daily_job()


def computed_days(results: list[dg.ExecuteInProcessResult]) -> dict[str, list[date]]:
    """List the days that the parts of a run computed, by asset."""
    return {name: days for name in ASSETS if (days := again(results[name in MODEL_ASSETS], name))}


def test_the_main_path_computes_everything_once_and_nothing_the_second_time(deployment, first):
    assert computed_days(first) == {name: DAYS[-1:] if name in MODEL_ASSETS else DAYS for name in ASSETS}
    (version,) = connect(deployment.settings.mlflow).search_model_versions("name = 'small'")
    assert (int(version.version), version.tags["day"], version.tags["gates"]) == (1, str(DAYS[-1]), "passed")
    second = deployment.run_daily_job()
    assert computed_days(second) == {}
    assert len(connect(deployment.settings.mlflow).search_model_versions("name = 'small'")) == 1


def test_another_instance_reads_runs_and_partitions_back(deployment, first):
    with dg.DagsterInstance.from_config(str(deployment.home)) as instance:
        assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
        assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}
        assert instance.get_run_by_id(first[0].run_id) is not None
        for name in ASSETS:
            days = DAYS[-1:] if name in MODEL_ASSETS else DAYS
            assert instance.get_materialized_partitions(asset_key(SPEC, name)) == {str(day) for day in days}
        (entry,) = instance.fetch_materializations(asset_key(SPEC, "model_registry_entry"), limit=1).records
        assert entry.partition_key == str(DAYS[-1])


def test_nothing_that_is_stored_contains_the_password(deployment, first, postgresql):
    dumped = postgresql.dump(deployment.database)
    assert first[0].run_id in dumped
    assert "model_registry_entry" in dumped
    assert PASSWORD not in dumped
    files = [path for path in deployment.home.parent.rglob("*") if path.is_file()]
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []


def test_dagster_and_mlflow_have_separate_schemas(deployment, first, postgresql):
    schemas = postgresql.query(
        deployment.database, "SELECT schemaname FROM pg_tables WHERE tablename = 'alembic_version' ORDER BY 1"
    )
    assert schemas == [("mlflow",), ("public",)]


def test_artifacts_are_stored_under_the_artifact_root_of_the_environment(deployment, first):
    client = connect(deployment.settings.mlflow)
    (version,) = client.search_model_versions("name = 'small'")
    assert str(version.source).startswith((deployment.home.parent / "mlartifacts").as_uri())
