"""Events keep the published schemas, whatever a step knows of its tables."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ml_assets.core.operations.lineage import Dataset, DatasetName, StepEvent, StepRun
from ml_assets.resources.observability.lineage_events import build_event
from ml_assets_tests.resources.observability.lineage_schemas import as_sent, check_event

pytest.importorskip("openlineage")

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
RUN = StepRun("6e1b1f4c-6a1e-4c57-9d3a-1f6a0b0c9d11", 0, "small_daily", "small.features", NOW, NOW, "1.13.27")
SOURCE = DatasetName("s3://lake", "small/validated_data")
WRITTEN = Dataset(
    DatasetName("s3://lake", "small/features"),
    "s3://lake/small/features",
    columns=[("day", "date32[day]", ""), ("amount_mean", "double", "The mean of the amounts")],
    lineage={"amount_mean": [(SOURCE, "amount"), (SOURCE, "event_time")]},
    version=12,
    rows=4050,
    size=91_000,
)
COMPLETE = StepEvent("COMPLETE", NOW, RUN, [Dataset(SOURCE, "s3://lake/small/validated_data")], [WRITTEN])


@pytest.mark.parametrize(
    "event",
    [
        COMPLETE,
        replace(COMPLETE, state="START", outputs=[Dataset(WRITTEN.name, WRITTEN.uri)]),
        replace(COMPLETE, state="FAIL", error="ValueError: no"),
        replace(COMPLETE, state="ABORT", inputs=[], outputs=[Dataset(SOURCE, "/landing/x", layer=None)]),
    ],
)
def test_every_event_keeps_the_schemas(event):
    check_event(as_sent(build_event(event, "production")))


def test_an_event_that_breaks_a_schema_is_noticed():
    sent = as_sent(build_event(COMPLETE, "production"))
    del sent["outputs"][0]["facets"]["storage"]["storageLayer"]
    with pytest.raises(TypeError, match="storageLayer"):
        check_event(sent)
    sent = as_sent(build_event(COMPLETE, "production"))
    sent["outputs"][0]["facets"]["columnLineage"]["fields"]["amount_mean"]["inputFields"][0]["column"] = "x"
    with pytest.raises((TypeError, KeyError), match="column"):
        check_event(sent)


def test_the_table_has_its_columns_their_origin_its_version_and_what_was_written():
    (output,) = as_sent(build_event(COMPLETE, "production"))["outputs"]
    facets = output["facets"]
    assert [field["name"] for field in facets["schema"]["fields"]] == ["day", "amount_mean"]
    origin = facets["columnLineage"]["fields"]["amount_mean"]["inputFields"]
    assert [(field["namespace"], field["name"], field["field"]) for field in origin] == [
        ("s3://lake", "small/validated_data", "amount"),
        ("s3://lake", "small/validated_data", "event_time"),
    ]
    assert (facets["storage"]["storageLayer"], facets["storage"]["fileFormat"]) == ("delta", "parquet")
    assert facets["version"]["datasetVersion"] == "12"
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 4050


def test_the_events_of_an_attempt_share_an_id_that_no_other_attempt_has():
    def run_id(**changes) -> str:
        return as_sent(build_event(replace(COMPLETE, run=replace(RUN, **changes)), "x"))["run"]["runId"]

    other_run = "0d7f0a52-93bb-4f4f-8a53-0c1f2a6f1d10"
    assert run_id() == run_id()
    assert len({run_id(), run_id(attempt=1), run_id(step="small.evaluation"), run_id(run_id=other_run)}) == 4


def test_the_parent_is_the_run_of_dagster():
    parent = as_sent(build_event(COMPLETE, "production"))["run"]["facets"]["parent"]
    assert (parent["run"]["runId"], parent["job"]["name"]) == (RUN.run_id, "small_daily")
