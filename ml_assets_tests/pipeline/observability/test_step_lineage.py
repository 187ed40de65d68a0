"""A run sends the lineage of each of its steps to a server of OpenLineage, and is the same when there is none."""

import json
from collections.abc import Iterator

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, RAW
from ml_assets.pipeline.steps import run_stage
from ml_assets.resources.observability import lineage
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day
from ml_assets_tests.pipeline.worlds import world_with_two_days
from ml_assets_tests.resources.observability.lineage_schemas import check_event
from ml_assets_tests.support.http_server import QuietHandler, free_port, http_server

pytest.importorskip("openlineage")

SPEC = ModelSpec.model_validate(SMALL)


@pytest.fixture
def world(tmp_path) -> World:
    return world_with_two_days(tmp_path)


@pytest.fixture
def enabled(monkeypatch):
    """Turn lineage on with a sender of its own."""
    sender = lineage.LineageSender()
    monkeypatch.setattr(lineage, "_sender", lambda: sender)
    lineage.enable_lineage("tests")
    yield
    lineage.enable_lineage(None)


@pytest.fixture
def received(monkeypatch):
    """Collect the events that a server of OpenLineage receives."""
    events = []

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

    with http_server(Handler) as url:
        monkeypatch.setenv("OPENLINEAGE_URL", url)
        yield events


def test_each_step_sends_its_start_and_its_end_with_what_it_wrote(world, enabled, received):
    world.run(list(LANDED_TO_FEATURES), day(1), day(2))
    for event in received:
        check_event(event)
    ends = {event["job"]["name"]: event for event in received if event["eventType"] == "COMPLETE"}
    starts = {event["run"]["runId"] for event in received if event["eventType"] == "START"}
    assert [*ends] == ["small.raw_data", "small.validated_data", "small.features"]
    assert {event["run"]["runId"] for event in ends.values()} == starts
    lake = str(world.root / "lake")
    features = ends["small.features"]
    assert [dataset["name"] for dataset in features["inputs"]] == [f"{lake}/small/validated_data"]
    (table,) = [dataset for dataset in features["outputs"] if dataset["name"] == f"{lake}/small/features"]
    assert {"schema", "columnLineage", "storage", "version"} <= {*table["facets"]}
    assert table["outputFacets"]["outputStatistics"]["rowCount"] > 0
    origins = {
        field["name"]
        for fields in table["facets"]["columnLineage"]["fields"].values()
        for field in fields["inputFields"]
    }
    assert origins == {f"{lake}/small/validated_data"}
    assert ends["small.raw_data"]["inputs"], "the landed files"


def test_a_step_that_fails_sends_its_error(world, enabled, received):
    world.run([RAW], day(3), succeed=False)
    failed = [event for event in received if event["eventType"] == "FAIL"]
    for event in received:
        check_event(event)
    assert len(failed) == 1
    assert "CannotMake" in failed[0]["run"]["facets"]["errorMessage"]["message"]


def test_a_step_that_is_interrupted_is_aborted(world, enabled, received, monkeypatch):
    def interrupt(*_) -> Iterator:
        yield from ()
        raise dg.DagsterExecutionInterruptedError

    monkeypatch.setattr(run_stage, "_make_and_report", interrupt)
    world.run([RAW], day(1), succeed=False)
    for event in received:
        check_event(event)
    assert [event["eventType"] for event in received] == ["START", "ABORT"]


@pytest.mark.slow
def test_a_server_that_is_gone_fails_nothing(world, enabled, monkeypatch):
    monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{free_port()}")
    assert world.run([RAW], day(1), day(2)).success
