"""From features to the registry through Dagster: one model per day, judged, registered once."""

import hashlib
import json

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS
from ml_assets.pipeline.engine.stage import InputChanged
from ml_assets.pipeline.graph.stages import StageBuilder
from ml_assets.pipeline.planning.repair import models_that_saw
from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, again, check, computed, day, failure, rows_of
from ml_assets_tests.pipeline.worlds import world_with_features, world_with_model
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store

DAILY, MODELS = list(LANDED_TO_FEATURES), list(MODEL_ASSETS)
LAST = 13
SPEC = ModelSpec.model_validate(SMALL)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make a world with the model of day 12. Tests that change it restore it."""
    return world_with_model(tmp_path_factory.mktemp("world"))


def test_a_model_s_files_lie_under_its_digest_with_a_passport(world):
    row = world.stages().training.row(day(12))
    folder = world.root / "lake" / row["artifacts"]
    assert folder.name == row["model_digest"]
    model, preprocessing = (folder / "model.ubj").read_bytes(), (folder / "preprocessing.json").read_bytes()
    parts = b"".join(len(part).to_bytes(8, "big") + part for part in (model, preprocessing))
    assert hashlib.sha256(parts).hexdigest() == row["model_digest"]
    provenance = json.loads((folder / "passport.json").read_text())
    assert provenance["digest"] == row["model_digest"]
    assert (provenance["fit"], provenance["holdout"]) == ([str(day(3)), str(day(5))], [str(day(9)), str(day(10))])
    # The features of day 3 see day 2: windows of one day.
    assert [entry["day"] for entry in provenance["landed_objects"]] == [str(day(number)) for number in range(2, 7)]
    assert all(len(entry["digest"]) == 32 for entry in provenance["landed_objects"])
    assert sorted(provenance["days"]["features"]) == [str(day(number)) for number in range(3, 7)]
    assert {"xgboost", "pandas"} <= set(provenance["library_versions"])
    assert provenance["seed"] == SPEC.training.seed
    assert 0 < provenance["metrics"]["validation"]["roc_auc"] <= 1


def test_a_file_of_a_model_that_is_lost_or_was_emptied_is_put_back_and_nothing_behind_it_is_made_again(world):
    folder = world.root / "lake" / world.stages().training.row(day(12))["artifacts"]
    model_bytes = (folder / "model.ubj").read_bytes()
    for content in (None, b""):
        (folder / "model.ubj").unlink() if content is None else (folder / "model.ubj").write_bytes(content)
        last = world.run(MODELS, day(12))
        assert (folder / "model.ubj").read_bytes() == model_bytes
        assert {name: computed(last, name) for name in MODELS} == {name: [] for name in MODELS}
        assert again(last, "trained_model") == [day(12)]
    assert again(world.run(MODELS, day(12)), "trained_model") == []


@pytest.mark.slow
def test_a_day_without_a_model_says_why_also_when_it_is_unchanged(world):
    problems = []
    for _ in range(2):
        materializations = [
            event.step_materialization_data.materialization
            for event in world.run(MODELS, day(2), day(3)).get_asset_materialization_events()
        ]
        problems.append(
            {
                (materialization.asset_key.path[-1], materialization.partition): materialization.metadata[
                    "problem"
                ].value
                for materialization in materializations
            }
        )
    assert problems[0] == problems[1]
    assert len(problems[0]) == 6
    assert all("the data begins on 2025-01-01" in problem for problem in problems[0].values())


def test_the_learning_curve_is_in_the_lake_and_with_the_registered_version(world):
    row = world.stages().training.row(day(12))
    curve = json.loads((world.root / "lake" / row["artifacts"] / "learning_curve.json").read_text())
    assert set(curve) == {"logloss", "aucpr"}
    assert len(curve["logloss"]) >= row["rounds"]
    run_id = world.stages().registration.entry(day(12))["mlflow_run_id"]
    for name, values in curve.items():
        history = world.registry.client.get_metric_history(run_id, f"validation_{name}")
        assert [(point.step, point.value) for point in history] == list(enumerate(values, 1))


@pytest.mark.slow
def test_the_same_data_give_the_same_model_in_another_lake(world, tmp_path):
    other = world_with_features(tmp_path)
    other.run(["trained_model"], day(12))
    assert other.stages().training.row(day(12)) == world.stages().training.row(day(12))


def test_evaluation_keeps_the_score_of_every_holdout_row(world):
    evaluation = world.stages().evaluation
    scored = evaluation.tables["evaluation"].read([day(12)]).to_pandas()
    assert sorted(scored["event_day"].unique()) == [day(9), day(10)]
    assert scored["score"].between(0, 1).all()
    assert (scored["decision"] == (scored["score"] >= world.stages().training.row(day(12))["threshold"])).all()
    assert evaluation.overall(day(12)).set_index("metric").loc["roc_auc", "rows"] == len(scored) == 120


def test_running_again_does_nothing(world):
    before, versions = world.commits(), versions_of(world)
    result = world.run([*DAILY, *MODELS], day(12))
    assert [computed(result, name) for name in MODELS] == [[], [], []]
    assert world.commits() == before
    assert versions_of(world) == versions
    assert check(result, "gate_roc_auc").passed


def versions_of(world: World) -> list[tuple[str, str]]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=world.registry.tracking_uri)
    return [(version.version, version.tags["model_digest"]) for version in client.search_model_versions("name='small'")]


def test_the_entry_is_a_version_with_tags_and_a_page_that_says_where_everything_is(world):
    from mlflow import MlflowClient

    entry = world.stages().registration.entry(day(12))
    assert entry is not None
    client = MlflowClient(tracking_uri=world.registry.tracking_uri)
    version = client.get_model_version("small", entry["version"])
    assert version.tags["day"] == str(day(12))
    assert version.tags["model_digest"] == entry["model_digest"]
    assert len(version.tags["evaluation_fingerprint"]) == 16
    assert "dagster_run_id" in version.tags or "dagster_run_id" in client.get_run(version.run_id).data.tags
    assert client.get_run(version.run_id).data.metrics["roc_auc"] > 0.5
    assert entry["gates_passed"]
    provenance = json.loads(
        (world.root / "lake" / "small" / "models" / entry["model_digest"] / "passport.json").read_text()
    )
    texts = [
        entry["model_digest"],
        f"{len(provenance['landed_objects'])} landed objects",
        f"{world.lake.uri}/small/models/{entry['model_digest']}",
        version.tags["evaluation_fingerprint"],
        version.tags["trained_model_fingerprint"],
        version.tags["dagster_run_id"],
        f"small/reports/{day(12)}.html",
    ]
    assert [text for text in texts if text not in version.description] == []


def test_registration_moves_no_alias(world):
    assert world.registry.client.get_registered_model("small").aliases == {}


def test_verdict_metrics_gates_and_plots_are_in_the_metadata_of_the_evaluation(world):
    result = world.run(["evaluation"], day(12))
    (event,) = [e.step_materialization_data.materialization for e in result.get_asset_materialization_events()]
    for name in ("roc_curve", "precision_recall", "calibration", "feature_importance", "feature_contributions"):
        assert f"![{name}](data:image/svg+xml;base64," in event.metadata["plots"].md_str
    assert event.metadata["roc_auc"].value > 0.5
    (gate, *_) = event.metadata["gates"].records
    assert (gate.data["gate"], gate.data["verdict"]) == ("roc_auc", "passed")
    assert event.metadata["verdict"].value == "passes its gates"
    names = [name for name in event.metadata if not name.startswith("dagster/")]
    assert names.index("verdict") < names.index("roc_auc") < names.index("gates") < names.index("plots")


@pytest.mark.slow
def test_an_older_model_is_registered_after_a_newer_one(world):
    world.run(MODELS, day(11))
    older, newer = (world.stages().registration.entry(day(number)) for number in (11, 12))
    assert older is not None
    assert newer is not None
    assert older["gates_passed"]
    assert int(older["version"]) > int(newer["version"])


def test_a_model_that_another_run_evaluated_meanwhile_is_not_registered_with_the_old_evaluation(world, tmp_path):
    registrations = []
    judged = world.stages().evaluation.tables["evaluation"]
    changed = world.copy(tmp_path)
    builder = StageBuilder(SPEC, Lake(uri=changed.lake.uri), changed.landing)
    stage = builder.registration(changed.registry, registrations.append)
    stage.refresh()
    plain = stage.record

    def judged_meanwhile(which):
        record = plain(which)
        other = Lake(uri=changed.lake.uri).table(SPEC.name, "evaluation", judged.schema.remove(0))
        other.commit({which: judged.read([which])}, {which: 7})
        return record

    stage.record = judged_meanwhile
    with pytest.raises(InputChanged, match="another run has committed the day in the meantime"):
        stage.make_day(day(12), single_partition=True)
    assert registrations == []


def test_a_changed_gate_evaluates_again_without_training_again(world, tmp_path):
    world = world.copy(tmp_path)
    lenient = World(world.root, SPEC.model_validate({**SMALL, "gates": {"roc_auc": {"minimum": 0.4}}}))
    result = lenient.run(MODELS, day(12))
    assert [computed(result, name) for name in MODELS] == [[], [], [day(12)]]
    assert len(set(versions_of(world))) == len(versions_of(world))
    from mlflow import MlflowClient

    entry = lenient.stages().registration.entry(day(12))
    assert entry is not None
    version = MlflowClient(tracking_uri=world.registry.tracking_uri).get_model_version("small", entry["version"])
    assert "at least 0.4" in (version.description or "")


@pytest.mark.slow
def test_a_day_before_the_first_model_fails_a_single_partition_run_and_is_reported_in_a_range(world):
    assert "first day that has a model is 2025-01-10" in failure(world.run(["trained_model"], day(9), succeed=False))
    result = world.run(MODELS, day(8), day(10))
    stages = world.stages()
    assert stages.training.row(day(8))["model_digest"] is None
    assert stages.training.row(day(10))["model_digest"]
    assert stages.registration.entry(day(8)) is None
    evaluation = check(result, "gate_roc_auc")
    assert (evaluation.passed, evaluation.metadata["days"].value, evaluation.metadata["days_evaluated"].value) == (
        True,
        3,
        1,
    )


def test_a_repair_knows_the_models_that_saw_its_days(world):
    # Models of other days may be there from other tests.
    assert day(12) in models_that_saw(world.stages(), [day(3)])
    assert day(12) in models_that_saw(world.stages(), [day(1), day(6)])
    assert day(12) not in models_that_saw(world.stages(), [day(2), day(7)])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["external_memory", "dask"])
def test_every_engine_goes_through_all_stages_with_the_same_metrics(world, tmp_path, engine):
    training = {**SMALL["training"], "engine": engine, **({"dask": {"workers": 2}} if engine == "dask" else {})}
    other = world_with_features(tmp_path, ModelSpec.model_validate({**SMALL, "training": training}))
    other.run(MODELS, day(12))
    expected = world.stages().evaluation.overall(day(12)).set_index("metric")["value"]
    metrics = other.stages().evaluation.overall(day(12)).set_index("metric")["value"]
    assert metrics.to_dict() == pytest.approx(expected.to_dict(), abs=0.001)
    entry = other.stages().registration.entry(day(12))
    assert entry is not None
    assert entry["gates_passed"]


@pytest.mark.slow
def test_changed_metrics_of_unchanged_scores_evaluate_the_model_again(tmp_path):
    new_store(tmp_path)
    world = world_with_features(tmp_path)
    world.run(MODELS, day(12))
    world.spec = ModelSpec.model_validate({**SMALL, "evaluation": {**SMALL["evaluation"], "bootstrap_samples": 30}})
    result = world.run(MODELS, day(12))
    assert [computed(result, name) for name in MODELS] == [[], [day(12)], [day(12)]]


def test_a_changed_day_remakes_the_models_that_were_trained_on_it(tmp_path):
    world = world_with_features(tmp_path)
    world.run(["trained_model"], day(12), day(13))
    changed = rows_of(day(3))
    changed["amount"] *= 2
    world.land(day(3), changed)
    world.run(DAILY, day(1), day(LAST))
    # Day 12 was trained on days 3 to 6. Day 13 on days 4 to 7, and the features of day 4 see day 3.
    assert computed(world.run(["trained_model"], day(12), day(13)), "trained_model") == [day(12), day(13)]
    changed = rows_of(day(8))
    changed.loc[0, "amount"] += 1
    world.land(day(8), changed)
    world.run(DAILY, day(1), day(LAST))
    assert computed(world.run(["trained_model"], day(12), day(13)), "trained_model") == []


def test_a_stage_without_its_input_says_what_to_materialize(world):
    assert "without trained_model of that day" in failure(world.run(["evaluation"], day(7), succeed=False))
    assert "without trained_model of that day" in failure(world.run(["model_registry_entry"], day(7), succeed=False))


@pytest.mark.slow
def test_a_window_without_positives_is_an_error_that_says_so(tmp_path):
    world = World(tmp_path, SPEC)
    for number in range(1, LAST + 1):
        world.land(day(number), rows_of(day(number)).assign(label=0))
    world.run(DAILY, day(1), day(LAST))
    assert "positive" in failure(world.run(["trained_model"], day(12), succeed=False))


def test_nothing_in_the_lake_is_a_pickle(world):
    for path in (world.root / "lake").rglob("*"):
        if path.is_file():
            assert path.suffix in {".parquet", ".json", ".ubj", ".crc", ".html"} or path.name == "_last_checkpoint", (
                path
            )


@pytest.mark.slow
def test_a_registry_that_lost_its_store_gets_the_version_again(world, tmp_path):
    new = World(world.root, SPEC, store=tmp_path)
    result = new.run(MODELS, day(12))
    assert [computed(result, name) for name in MODELS] == [[], [], [day(12)]]
    assert [digest for _, digest in versions_of(new)] == [world.stages().training.row(day(12))["model_digest"]]
