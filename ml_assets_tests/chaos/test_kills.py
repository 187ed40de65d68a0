"""Recovery of runs that are killed at critical boundaries of the stages; `make chaos` tries many more."""

from pathlib import Path

import pytest

from ml_assets_tests.chaos.child import Kill, run
from ml_assets_tests.chaos.content import content
from ml_assets_tests.chaos.kills import kill_through
from ml_assets_tests.chaos.places import DAYS, copy_of, new_place

KILLS = {
    # The side table is committed, and the day is not.
    "raw_data": [Kill("after commit landed_objects")],
    # While the commit is written.
    "validated_data": [Kill("before commit validated_data", later=0.004)],
    # Between the commit and its events.
    "features": [Kill("after commit features", 2)],
    # Half of a model's files are written.
    "trained_model": [Kill("after write models", 2)],
    "evaluation": [Kill("before event ASSET_MATERIALIZATION of small__evaluation", 3)],
    # A version is registered that is not in the lake.
    "model_registry_entry": [Kill("after mlflow create_logged_model"), Kill("after mlflow create_model_version")],
    # The ledger differs from MLflow and the deploy target.
    "deployment": [
        Kill("after commit release_ledger"),
        Kill("after mlflow set_registered_model_alias"),
        Kill("before write small"),
        Kill("before commit deployment"),
    ],
    "predictions": [Kill("after commit predictions")],
}


# Deaths while rows are written are in pipeline/scenarios/test_properties.py as well, and kills of training in
# pipeline/training/test_checkpoints.py.
@pytest.mark.slow
def test_runs_that_are_killed_end_with_the_content_of_an_undisturbed_one(tmp_path: Path):
    landed = new_place(tmp_path / "landed", days=DAYS)
    undisturbed = copy_of(landed, tmp_path / "undisturbed")
    assert run(undisturbed, tmp_path / "undisturbed.log") == 0
    report = kill_through(copy_of(landed, tmp_path / "killed"), KILLS, content(undisturbed), "", {})
    assert report.wrong == []
    assert len(report.kills) == sum(map(len, KILLS.values())), report.kills
    # Each run after a kill within a step reports it.
    assert sum(
        "has not finished: it is still in progress, or it was killed" in line for line in report.messages
    ) == len(report.kills), report.messages
    assert any("was not carried out in full" in line for line in report.messages)
