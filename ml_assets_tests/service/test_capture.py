"""From a request to the table served_requests: processes capture, and a day is compared with the batch."""

import dagster as dg
import pytest

from ml_assets.cli.commands.serve import build_capture
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.serving.captured_requests import NoHashKey, hash_value
from ml_assets.defs.settings import Settings
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, SERVED_REQUESTS, all_assets
from ml_assets.resources.storage.segments import Segments
from ml_assets_tests.pipeline.planning.plan_cases import plan_of, planned
from ml_assets_tests.pipeline.world import World, check, computed, day, rows_of
from ml_assets_tests.service.conftest import LAST, SPEC, request_of, serving

CHECKS = {"served_features": {}, "served_feature_drift": {"severity": "warn"}}
DAY = day(LAST + 1)


def capturing(**capture) -> ModelSpec:
    document = SPEC.model_dump(mode="json")
    return ModelSpec.model_validate(
        {**document, "deployment": {"capture": capture}, "checks": {**document["checks"], **CHECKS}}
    )


@pytest.fixture
def capturing_world(world: World, tmp_path, monkeypatch) -> World:
    monkeypatch.setenv("ML_ASSETS_CAPTURE_KEY", "a key")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return World(world.root, capturing(hashed=["card"]))


def serve(world: World, rows: list[dict], **headers: str) -> list[str]:
    """Score rows with a process of its own; return the IDs of the answers."""
    with serving(world) as service:
        service.wait_for(ready=True, problem=None)
        answers = [service.client.post("/score", json=request_of(row), headers=headers) for row in rows]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.headers["X-Request-ID"] for answer in answers]


def test_requests_become_a_day_that_is_compared_with_the_batch(capturing_world):
    world, rows = capturing_world, rows_of(DAY).to_dict("records")
    ids = serve(world, rows[:20], **{"X-Request-ID": "mine"}) + serve(world, rows[20:])
    assert ids[:20] == ["mine"] * 20
    assert len(set(ids[20:])) == len(rows) - 20
    # Each process writes what is left when it ends.
    assert len(Segments(world.lake.files, world.spec.name).list(DAY)) >= 2
    world.land(DAY, rows_of(DAY))
    result = world.run([*LANDED_TO_FEATURES, SERVED_REQUESTS], DAY)
    stage = world.stages().served_requests
    assert stage is not None
    served = stage.frame(DAY, ["request_id", "id", "card", "model_version", "side"])
    assert sorted(served["id"]) == sorted(row["id"] for row in rows)
    assert {*served["request_id"]} == {*ids}
    assert {*served["card"]} == {hash_value(b"a key", row["card"]) for row in rows}
    assert {(row.model_version, row.side) for row in served.itertuples()} == {(2, "champion")}
    evaluation = check(result, "served_features")
    # The batch sees earlier rows of the day, which the requests did not send.
    assert not evaluation.passed
    assert "60 of 60 served rows have landed; served features differ" in (evaluation.description or "")
    details = evaluation.metadata["details"]
    assert isinstance(details, dg.TableMetadataValue)
    equal = {str(record.data["feature"]): record.data["share_equal"] for record in details.records}
    assert equal["amount"] == 1.0
    assert float(equal["count_by_card_1d"]) < 0.9
    assert "card" not in equal
    drift = check(result, "served_feature_drift")
    assert (drift.passed, drift.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "count_by_card_1d drifted" in (drift.description or "")

    assert computed(world.run([SERVED_REQUESTS], DAY), SERVED_REQUESTS) == []
    serve(world, rows[:1])
    assert [*planned(plan_of(world, DAY, DAY, all_assets(world.spec)), SERVED_REQUESTS)] == [DAY]
    assert computed(world.run([SERVED_REQUESTS], DAY), SERVED_REQUESTS) == [DAY]
    assert len(stage.frame(DAY, ["id"])) == 60
    (stage.tables[SERVED_REQUESTS]).refresh()
    assert len(stage.frame(DAY, ["id"])) == 61


@pytest.mark.slow
def test_days_without_requests_are_empty_and_a_removed_segment_removes_no_rows(capturing_world):
    world, rows = capturing_world, rows_of(DAY).to_dict("records")
    result = world.run([SERVED_REQUESTS], day(LAST))
    assert "no request was served" in (check(result, "served_features").description or "")
    serve(world, rows[:2])
    world.run([SERVED_REQUESTS], DAY)
    segments = Segments(world.lake.files, world.spec.name)
    late = segments.read(segments.list(DAY)[0].key).slice(0, 1)
    for segment in segments.list(DAY):
        segments.delete(segment.key)
    assert computed(world.run([SERVED_REQUESTS], DAY), SERVED_REQUESTS) == []
    stage = world.stages().served_requests
    assert stage is not None
    assert len(stage.frame(DAY, ["id"])) == 2
    # A segment of a process that was cut off comes later.
    segments.write(DAY, "late", late)
    assert computed(world.run([SERVED_REQUESTS], DAY), SERVED_REQUESTS) == [DAY]
    stage.tables[SERVED_REQUESTS].refresh()
    assert len(stage.frame(DAY, ["id"])) == 3
    assert computed(world.run([SERVED_REQUESTS], DAY), SERVED_REQUESTS) == []


def test_nothing_is_captured_unless_the_specification_asks_for_it(world, monkeypatch):
    settings = Settings("local", world.landing.uri, world.lake.uri, "", "", "", {})
    assert build_capture(world.spec, settings) is None
    monkeypatch.delenv("ML_ASSETS_CAPTURE_KEY", raising=False)
    with pytest.raises(NoHashKey):
        build_capture(capturing(hashed=["card"]), settings)
