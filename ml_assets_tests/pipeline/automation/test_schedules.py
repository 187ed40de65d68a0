"""The schedule runs the newest complete day, or skips with a reason."""

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.automation.jobs import daily_job
from ml_assets.pipeline.automation.schedules import daily_schedule
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing
from ml_assets.resources.storage.landing_access import LandingUnavailable
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.conftest import SMALL

pytestmark = pytest.mark.clock


def evaluate(root: Path, when: datetime, lake: Path | None = None, **source: object) -> dg.RunRequest | dg.SkipReason:
    spec = ModelSpec.model_validate({**SMALL, "source": {**SMALL["source"], **source}})
    schedule = daily_schedule(spec, daily_job(spec))
    resources = {"landing": Landing(uri=str(root)), "lake": Lake(uri=str(lake or root / "lake"))}
    context = dg.build_schedule_context(scheduled_execution_time=when, resources=resources)
    result = schedule(context)
    assert isinstance(result, dg.RunRequest | dg.SkipReason)
    return result


def test_the_day_that_has_just_ended_is_requested(tmp_path):
    open_objects(str(tmp_path), {}).write("2025-03-09/a.csv", b"x")
    run = evaluate(tmp_path, datetime(2025, 3, 10, 2, tzinfo=UTC))
    assert isinstance(run, dg.RunRequest)
    assert (run.partition_key, run.run_key) == ("2025-03-09", "2025-03-09")


def test_a_day_without_files_is_skipped_with_the_pattern_and_place_it_looked_for(tmp_path):
    skipped = evaluate(tmp_path, datetime(2025, 3, 10, 2, tzinfo=UTC))
    assert isinstance(skipped, dg.SkipReason)
    assert "no files of small have landed for 2025-03-09; looked for {day}/*" in (skipped.skip_message or "")


def test_a_landing_that_is_not_there_yet_is_skipped_and_one_that_is_gone_is_an_error(tmp_path):
    root = tmp_path / "landing"
    skipped = evaluate(root, datetime(2025, 3, 10, 2, tzinfo=UTC))
    assert isinstance(skipped, dg.SkipReason)
    assert "nothing has landed yet, and the lake holds no day of it: there is no directory" in str(skipped.skip_message)
    open_objects(str(tmp_path / "lake"), {}).write("small/raw_data/_delta_log/0.json", b"{}")
    with pytest.raises(LandingUnavailable, match="is not there"):
        evaluate(root, datetime(2025, 3, 10, 2, tzinfo=UTC), lake=tmp_path / "lake")


def test_a_day_outside_the_source_is_skipped(tmp_path):
    for when, source in [
        (datetime(2025, 1, 1, 2, tzinfo=UTC), {}),
        (datetime(2025, 3, 10, 2, tzinfo=UTC), {"end": date(2025, 2, 1)}),
    ]:
        skipped = evaluate(tmp_path, when, **source)
        assert isinstance(skipped, dg.SkipReason)
        assert "lies outside the data of small" in (skipped.skip_message or "")


def test_it_is_on_by_default_at_two_in_the_zone_of_the_source():
    spec = ModelSpec.model_validate({**SMALL, "source": {**SMALL["source"], "time_zone": "Europe/Brussels"}})
    schedule = daily_schedule(spec, daily_job(spec))
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "Europe/Brussels")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    disabled = daily_schedule(
        spec.model_copy(update={"schedule": spec.schedule.model_copy(update={"enabled": False})}), daily_job(spec)
    )
    assert disabled.default_status == dg.DefaultScheduleStatus.STOPPED
