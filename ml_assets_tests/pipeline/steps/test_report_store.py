"""Each day has a report to which each stage adds its part, in whichever run, also when a check stops the run."""

import json
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS
from ml_assets.pipeline.steps.report_store import Reports
from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.conftest import CHECKED
from ml_assets_tests.pipeline.world import World, day, rows_of
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store

pytestmark = pytest.mark.plots

DAILY, MODELS = list(LANDED_TO_FEATURES), list(MODEL_ASSETS)
DATA = DAILY[:3]
SPEC = ModelSpec.model_validate(CHECKED)
BLOCKING = ModelSpec.model_validate({**CHECKED, "checks": {"row_count": {"blocking": True}}})
LAST, GAP, BAD = 14, 9, 10


def build_world(root: Path, spec: ModelSpec = SPEC) -> World:
    """Make fourteen days of 200 rows to features: day 9 has none, and ten rows of day 10 have violations."""
    new_store(root)
    world = World(root, spec)
    for number in range(1, LAST + 1):
        rows = rows_of(day(number), 200)
        if number == BAD:
            rows.loc[:9, "amount"] = -1.0
        if number != GAP:
            world.land(day(number), rows)
    world.run(DAILY, day(1), day(LAST))
    return world


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> World:
    world = build_world(tmp_path_factory.mktemp("reports"))
    world.run(MODELS, day(LAST))
    return world


@pytest.fixture
def world(original, tmp_path) -> World:
    return original.copy(tmp_path)


def page(world: World, which: date) -> str:
    return (world.root / "lake" / "small" / "reports" / f"{which}.html").read_text()


def part(world: World, which: date, asset: str) -> Part:
    return Part.from_json((world.root / "lake" / "small" / "reports" / str(which) / f"{asset}.json").read_bytes())


def write_times(world: World) -> dict[str, int]:
    """Return when each file of a report was last written, in nanoseconds."""
    root = world.root / "lake" / "small" / "reports"
    return {str(path.relative_to(root)): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def metadata(result: dg.ExecuteInProcessResult, name: str, which: date) -> dict:
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        if materialization.asset_key.path[-1] == name and materialization.partition == str(which):
            return dict(materialization.metadata)
    raise AssertionError(f"{name} of {which} was not materialized")


def test_every_day_of_a_range_has_a_page_with_a_verdict(original):
    verdicts = {number: page(original, day(number)) for number in range(1, LAST + 1)}
    assert 'class="verdict">Published' in verdicts[1]
    assert 'class="verdict">Missing' in verdicts[GAP]
    assert "no files have landed" in verdicts[GAP]
    # A gap among the days before.
    assert 'class="verdict">Flagged' in verdicts[BAD]
    assert "1 warning" in verdicts[BAD]


def test_the_page_shows_landed_and_quarantined_rows_with_reasons(original):
    validation = part(original, day(BAD), "validated_data")
    assert validation.facts == {"rows_landed": 200, "rows_accepted": 190, "rows_quarantined": 10, "files": 1}
    html = page(original, day(BAD))
    for text in ("2025-01-10/rows.parquet", "amount: less than minimum 0", "amount: -1"):
        assert text in html


def test_a_model_and_its_entry_are_on_the_page_of_their_day(original):
    html = page(original, day(LAST))
    assert "registered as version 1" in html
    assert html.count("data:image/svg+xml;base64,") == 6
    for text in ("gate roc auc", "Metrics on the holdout", "model_digest", "xgboost "):
        assert text in html
    assert "no model was trained as of this day" in page(original, day(LAST - 1))


def test_the_page_is_logged_with_the_model(original, tmp_path):
    client, (version,) = original.registry.client, original.registry.client.search_model_versions("name = 'small'")
    logged = Path(client.download_artifacts(version.run_id, "report.html", str(tmp_path))).read_text()
    assert logged.count("data:image/svg+xml;base64,") == 6
    assert "gate roc auc" in logged


@pytest.mark.slow
def test_each_partition_links_to_its_page(world):
    world.land(day(LAST), rows_of(day(LAST), 190))
    result = world.run([*DAILY, *MODELS], day(LAST))
    for name in ("validated_data", "features", "evaluation", "model_registry_entry"):
        assert metadata(result, name, day(LAST))["report"] == dg.MetadataValue.path(
            f"{world.lake.uri}/small/reports/{day(LAST)}.html"
        )
    assert "report" not in metadata(result, "raw_data", day(LAST))


@pytest.mark.slow
def test_a_range_writes_only_the_reports_again_that_a_changed_day_changes(world):
    before = write_times(world)
    world.run(DAILY, day(1), day(LAST))
    assert write_times(world) == before
    world.land(day(5), rows_of(day(5), 30))
    world.run(DATA, day(1), day(LAST))
    changed = {name for name, when in write_times(world).items() if before.get(name) != when}
    # Checks compare later days with it.
    compared = [day(number) for number in range(5, LAST + 1)]
    assert changed == {f"{which}{part}" for which in compared for part in (".html", "/validated_data.json")}
    assert "30 rows (15% of what is expected)" in page(world, day(5))
    assert "<h2>Features</h2>" in page(world, day(5))


@pytest.mark.slow
def test_a_single_partition_run_with_nothing_to_do_leaves_its_report(world):
    before = write_times(world)
    world.run([*DAILY, *MODELS], day(LAST))
    assert write_times(world)["2025-01-14.html"] == before["2025-01-14.html"]


def test_a_lost_part_of_a_report_is_written_again(world):
    lost = world.root / "lake" / "small" / "reports" / str(day(3)) / "validated_data.json"
    content = lost.read_bytes()
    lost.unlink()
    world.run(DATA, day(1), day(LAST))
    assert lost.read_bytes() == content


@pytest.mark.slow
def test_a_check_that_stops_the_run_is_on_the_page(tmp_path):
    world = build_world(tmp_path, BLOCKING)
    world.land(day(LAST + 1), rows_of(day(LAST + 1), 20))
    result = world.run(DAILY, day(LAST + 1), succeed=False)
    assert not [event for event in result.get_asset_materialization_events() if "features" in str(event.asset_key)]
    html = page(world, day(LAST + 1))
    assert "checks found 1 error" in html
    assert "20 rows (10% of what is expected)" in html


def test_names_and_values_of_files_are_escaped_on_the_page(tmp_path):
    world = World(tmp_path, SPEC)
    rows = rows_of(day(1), 100)
    rows.loc[0, ["card", "amount"]] = ["<script>alert(1)</script>", -5.0]
    world.land(day(1), rows, "<script>alert(2).parquet")
    world.run(DATA, day(1))
    html = page(world, day(1))
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "&lt;script&gt;alert(2)" in html


def test_delivered_labels_have_a_section_on_the_page_of_their_delivery(tmp_path):
    world = World(tmp_path, ModelSpec.model_validate({**CHECKED, "labels": {"files": "labels/{day}/*", "key": ["id"]}}))
    world.land(day(1), rows_of(day(1)).drop(columns="label"))
    world.land_at(f"labels/{day(1)}/labels.csv", b"id,label,known_at\n1,0,2025-01-01\n2,7,2025-01-01\n")
    world.run(["raw_labels", "validated_labels", "quarantined_labels", *DATA], day(1))
    assert "<h2>Labels delivered</h2>" in page(world, day(1))


def test_plots_of_a_day_are_kept_until_its_rows_change(tmp_path):
    reports = Reports("small", Lake(uri=str(tmp_path / "lake")))
    reports.add([Part("evaluation", day(1), plots={"roc_curve": b"png"}, provenance={"fingerprint": "1", "seed": 7})])
    assert reports.plots(day(1), "evaluation", {"fingerprint": "1"}) == {"roc_curve": b"png"}
    assert reports.plots(day(1), "evaluation", {"fingerprint": "2"}) == {}
    assert reports.plots(day(2), "evaluation", {"fingerprint": "1"}) == {}


def test_plots_that_a_part_has_are_not_written_again(tmp_path):
    reports, page = Reports("small", Lake(uri=str(tmp_path / "lake"))), tmp_path / "lake/small/reports/2025-01-01.html"
    reports.add([Part("evaluation", day(1), plots={"roc_curve": b"png"})])
    page.unlink()
    reports.add_plots(day(1), "evaluation", {"roc_curve": b"png"})
    assert not page.exists()
    reports.add_plots(day(1), "evaluation", {"calibration": b"png"})
    assert page.exists()


def test_a_part_that_cannot_be_read_is_not_taken_for_a_day_without_a_model(tmp_path):
    reports = Reports("small", Lake(uri=str(tmp_path / "lake")))
    reports.add([Part("validated_data", day(1), "published"), Part("evaluation", day(1))])
    (tmp_path / "lake/small/reports/2025-01-01/evaluation.json").write_text("{")
    page = reports.page(day(1)).decode()
    assert "no model was trained" not in page
    assert "unknown: its report cannot be read" in page
    assert "small/reports/2025-01-01/evaluation.json cannot be read" in page
    assert "Remove it; `ml-assets run small --day 2025-01-01` writes it again" in page
    assert reports.outcomes(day(1), "evaluation") == ()


@pytest.mark.slow
def test_reports_of_a_lake_in_a_bucket_are_stored_beside_its_tables(bucket):
    uri, s3 = bucket
    reports = Reports("small", Lake(uri=f"{uri}/lake", s3=s3))
    reports.add(
        [Part("validated_data", day(1), "published"), Part("validated_data", day(2), "rejected", "too many bad rows")]
    )
    reports.add_plots(day(2), "validated_data", {"rows": b"png"})
    reports.add_plots(day(3), "validated_data", {"rows": b"png"})
    assert sorted(key for _, key in reports.files()) == [
        "small/reports/2025-01-01.html",
        "small/reports/2025-01-01/validated_data.json",
        "small/reports/2025-01-02.html",
        "small/reports/2025-01-02/validated_data.json",
    ]
    assert b"too many bad rows" in reports.page(day(2))
    assert reports.page(day(2)).count(b"data:image/png") == 1
    assert reports.link(day(1)) == dg.MetadataValue.url(f"{uri}/lake/small/reports/2025-01-01.html")


def test_parts_are_json(original):
    root = original.root / "lake" / "small" / "reports"
    assert all(json.loads(path.read_bytes())["asset"] == path.stem for path in root.rglob("*.json"))
