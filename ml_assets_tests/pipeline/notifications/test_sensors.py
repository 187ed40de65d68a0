"""Failures on a real Dagster instance become a row and a message once, a repair resolves them, and no secret leaks."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.events import EngineEventData
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.test_utils import create_run_for_test
from dagster._utils import get_run_crash_explanation
from dagster_shared.error import SerializableErrorInfo

from ml_assets.cli.run_in_process import RunFailed, run_days
from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.notifications.events import Kind, fold
from ml_assets.core.release.release_state import promote, roll_back
from ml_assets.definitions import DEFS
from ml_assets.pipeline.notifications import event_log
from ml_assets.pipeline.notifications import sensors as sensor_module
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.notifications.database import NotificationsUnavailable
from ml_assets.resources.release.ledger import Ledger
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.notifications.notification_cases import (
    MODEL,
    NotificationSensors,
    definitions,
    read_events_immediately,
    sqlite,
)
from ml_assets_tests.resources.notifications.test_outbox import rows
from ml_assets_tests.resources.release.release_cases import FIRST, SECOND, THIRD, move
from ml_assets_tests.support.webhook import Webhook

REPOSITORY = DEFS.parents[1]


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def sensors(instance, tmp_path, webhook, monkeypatch) -> NotificationSensors:
    read_events_immediately(monkeypatch)
    return NotificationSensors(instance, sqlite(tmp_path), webhook.url)


def open_states(sensors: NotificationSensors) -> list[tuple[str, str, bool]]:
    """Return (kind, partition, is open) of each row."""
    return [(row["kind"], row["partition"], row["resolved_at"] is None) for row in rows(sensors.uri)]


def accepted(
    *failed: date,
    days: int = 5,
    first: date = date(2025, 1, 1),
    severity: str = "error",
    check: str = "every_day_accepted",
):
    all_days = [first + timedelta(days=number) for number in range(days)]
    return {check: [CheckOutcome(check, day, day not in failed, f"reason of {day}", severity) for day in all_days]}


# The table of notifications on PostgreSQL is in resources/notifications/test_outbox.py as well.
@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def instance_and_database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch
) -> Iterator[tuple[dg.DagsterInstance, str]]:
    """An instance configured by the repository's dagster.yaml files, and the database of its notifications."""
    home, uri = tmp_path / "dagster", sqlite(tmp_path)
    home.mkdir()
    settings = yaml.safe_load(
        (
            REPOSITORY
            / "ml_assets/resources/dagster_instance"
            / ("dagster.yaml" if request.param == "sqlite" else "dagster-postgres.yaml")
        ).read_text()
    )
    (home / "dagster.yaml").write_text(
        yaml.safe_dump(
            {name: settings[name] for name in ("event_log_storage", "storage", "telemetry") if name in settings}
        )
    )
    if request.param == "postgresql":
        uri = request.getfixturevalue("postgresql").new_database()
        monkeypatch.setenv("ML_ASSETS_DATABASE", uri)
        uri = uri.replace("postgresql://", "postgresql+psycopg2://")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance, uri


def test_a_failed_run_is_notified_with_its_reason_and_resolved_by_the_run_that_repairs_it(
    instance_and_database, webhook, monkeypatch
):
    read_events_immediately(monkeypatch)
    sensors = NotificationSensors(*instance_and_database, webhook.url)
    failed = sensors.run(error="the disk is full", first="2025-01-02")
    sensors.tick()
    assert open_states(sensors) == [("run_failure", "2025-01-02", True)]
    (row,) = rows(sensors.uri)
    assert (row["run"], row["model"], row["severity"]) == (failed, MODEL, "error")
    assert "step deployment: ValueError: the disk is full" in row["message"]
    assert webhook.titles == ["small: 1 failed run"]
    assert f"http://ui/runs/{failed}" in webhook.received[0]["message"]
    sensors.run("features", "2025-01-02")
    sensors.run(first="2025-01-03", last="2025-01-09")
    sensors.tick()
    assert open_states(sensors) == [("run_failure", "2025-01-02", True)]
    repaired = sensors.run(first="2025-01-01", last="2025-01-09")
    sensors.tick()
    assert (open_states(sensors), rows(sensors.uri)[0]["resolved_by"]) == (
        [("run_failure", "2025-01-02", False)],
        repaired,
    )
    assert webhook.titles[1:] == ["small: resolved: 1 failed run"]
    assert webhook.received[1]["type"] == "success"
    for _ in range(2):
        sensors.tick()
    assert len(webhook.received) == 2


def test_a_run_whose_process_could_not_start_is_notified_with_the_error(sensors):
    run = create_run_for_test(
        sensors.instance, f"{MODEL}_daily", tags={"model": MODEL}, status=dg.DagsterRunStatus.STARTED
    )
    error = SerializableErrorInfo("ValueError: ML_ASSETS_LAKE is not set\n", [], "ValueError")
    sensors.instance.report_engine_event("An exception was thrown", run, EngineEventData(error=error))
    sensors.instance.report_engine_event("Process for run exited", run)
    sensors.instance.report_run_failed(run)
    sensors.tick()
    assert [row["message"] for row in rows(sensors.uri)] == [
        f"{MODEL}_daily failed: it could not start: ValueError: ML_ASSETS_LAKE is not set"
    ]


def test_a_run_of_other_partitions_than_days_is_notified_and_stops_nothing(sensors):
    tags = {"dagster/partition": "2025-01-01-07:00"}
    run = create_run_for_test(sensors.instance, "hourly", tags=tags, status=dg.DagsterRunStatus.STARTED)
    sensors.instance.report_run_failed(run, "no disk")
    sensors.run(error="the disk is full", first="2025-01-02")
    sensors.tick()
    assert [row["partition"] for row in rows(sensors.uri)] == ["2025-01-01-07:00", "2025-01-02"]
    sensors.run(first="2025-01-01", last="2025-01-03")
    sensors.tick()
    assert [is_open for _, _, is_open in open_states(sensors)] == [True, False]


def test_a_run_whose_process_died_is_notified_with_the_cause(sensors):
    run = create_run_for_test(sensors.instance, f"{MODEL}_daily", status=dg.DagsterRunStatus.STARTED)
    # The code server reports the death in an event, and then a failure without a reason.
    explanation = get_run_crash_explanation(f"Run execution process for {run.run_id}", -9)
    sensors.instance.report_engine_event(explanation, run)
    sensors.instance.report_run_failed(run)
    sensors.tick()
    (row,) = rows(sensors.uri)
    assert row["message"].startswith(f"{MODEL}_daily failed: its process was terminated by signal 9 (SIGKILL).")
    assert "out of memory" in row["message"]


def test_a_run_that_monitoring_found_dead_is_notified_with_the_cause(sensors):
    run = create_run_for_test(sensors.instance, f"{MODEL}_daily", status=dg.DagsterRunStatus.STARTED)
    health = CheckRunHealthResult(WorkerStatus.FAILED, "the process of the run is gone")
    # The words of Dagster's run monitoring.
    words = f"Detected run worker status {health}. Marking run {run.run_id} as failed."
    sensors.instance.report_run_failed(run, words)
    sensors.tick()
    assert [row["message"] for row in rows(sensors.uri)] == [f"{MODEL}_daily failed: the process of the run is gone"]


def test_a_step_whose_pod_failed_is_notified_with_the_reason_alone(sensors):
    run = create_run_for_test(sensors.instance, f"{MODEL}_daily", status=dg.DagsterRunStatus.STARTED)
    # The words of Dagster's executor.
    error = SerializableErrorInfo("Step deployment failed health check: it needed more than its memory", [], None)
    failure = dg.DagsterEvent(
        dg.DagsterEventType.STEP_FAILURE.value,
        run.job_name,
        step_key="deployment",
        event_specific_data=StepFailureData(error=error, user_failure_data=None),
    )
    sensors.instance.report_dagster_event(failure, run.run_id)
    sensors.instance.report_run_failed(run)
    sensors.tick()
    assert [row["message"] for row in rows(sensors.uri)] == [
        f"{MODEL}_daily failed: step deployment: it needed more than its memory"
    ]


def test_rejected_days_of_one_run_share_a_message_and_are_resolved_one_by_one(sensors, webhook):
    bad = [date(2025, 1, 1) + timedelta(days=number) for number in range(40)]
    sensors.run(outcomes=accepted(*bad, days=60), last="2025-03-01")
    sensors.tick()
    assert open_states(sensors) == [("rejected_day", str(day), True) for day in bad]
    assert webhook.titles == ["small: 40 rejected days"]
    assert "and 28 more" in webhook.received[0]["message"]
    assert (
        "2025-01-01 not accepted: reason of 2025-01-01 http://ui/assets/small/validated_data"
        in webhook.received[0]["message"]
    )
    sensors.run(outcomes=accepted(bad[0], days=2), last="2025-01-02")
    sensors.tick()
    assert [partition for _, partition, is_open in open_states(sensors) if not is_open] == ["2025-01-02"]
    assert webhook.titles[1:] == ["small: resolved: 1 rejected day"]


@pytest.mark.slow
def test_every_rejected_day_of_a_long_range_is_notified(sensors):
    first, bad = date(2025, 1, 1), [date(2025, 1, 1) + timedelta(days=number) for number in range(0, 420, 2)]
    sensors.run(outcomes=accepted(*bad, days=420), last="2026-02-24")
    sensors.tick()
    assert len(open_states(sensors)) == 210
    sensors.run(outcomes=accepted(days=420), last="2026-02-24")
    sensors.tick()
    assert {is_open for _, _, is_open in open_states(sensors)} == {False}
    assert open_states(sensors)[0][1] == str(first)


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        ("gate_roc_auc", "failed_gate"),
        ("leaks", "failed_check"),
        ("volume", None),
        ("every_day_accepted", "rejected_day"),
    ],
)
def test_only_gates_rejected_days_and_blocking_checks_are_notified(sensors, check, kind):
    # Some days pass, so that no check stops the run.
    sensors.run(outcomes=accepted(date(2025, 1, 5), check=check), last="2025-01-05")
    sensors.tick()
    assert open_states(sensors) == ([(kind, "2025-01-05", True)] if kind else [])
    sensors.run(outcomes=accepted(check=check), last="2025-01-05")
    sensors.tick()
    assert open_states(sensors) == ([(kind, "2025-01-05", False)] if kind else [])


def test_a_run_that_only_a_blocking_check_stopped_has_one_notification(sensors, webhook):
    sensors.run(outcomes=accepted(date(2025, 1, 1), days=1, check="gate_roc_auc"))
    sensors.tick()
    assert open_states(sensors) == [("failed_gate", "2025-01-01", True)]
    assert webhook.titles == ["small: 1 failed gate"]
    sensors.run(outcomes=accepted(days=1, first=date(2025, 1, 8), check="gate_roc_auc"), first="2025-01-08")
    sensors.tick()
    assert open_states(sensors) == [("failed_gate", "2025-01-01", False)]


def test_a_check_that_warns_is_notified_as_a_warning(sensors, webhook):
    sensors.run(outcomes=accepted(date(2025, 1, 1), days=1, severity="warn"))
    sensors.tick()
    assert [row["severity"] for row in rows(sensors.uri)] == ["warning"]
    assert webhook.received[0]["type"] == "warning"


def test_a_cancelled_run_is_no_failure_but_its_check_results_are_notified(sensors):
    run_id = sensors.run(outcomes=accepted(date(2025, 1, 1), days=1))
    cancelled = sensors.instance.get_run_by_id(sensors.run("features"))
    assert cancelled is not None
    sensors.instance.report_run_canceled(cancelled)
    sensors.tick()
    assert open_states(sensors) == [("rejected_day", "2025-01-01", True)]
    assert rows(sensors.uri)[0]["run"] == run_id


def test_a_run_whose_process_died_is_notified_once_the_daemon_marks_it_as_failed(sensors):
    run = sensors.instance.create_run_for_job(_job(), tags={"model": MODEL, "dagster/partition": "2025-01-04"})
    sensors.tick()
    sensors.instance.report_run_failed(run, "This run has been marked as failed because its process is gone")
    sensors.tick()
    assert open_states(sensors) == [("run_failure", "2025-01-04", True)]
    assert "its process is gone" in rows(sensors.uri)[0]["message"]


def test_a_run_that_exceeded_its_runtime_is_notified_with_the_limit(sensors):
    run = sensors.instance.create_run_for_job(_job(), tags={"model": MODEL, "dagster/partition": "2025-01-04"})
    sensors.instance.report_run_failed(run, "Exceeded maximum runtime of 7200 seconds.")
    # The process of the run ends after the run.
    error = SerializableErrorInfo("DagsterExecutionInterruptedError", [], "DagsterExecutionInterruptedError")
    interrupted = dg.DagsterEvent(
        "STEP_FAILURE", run.job_name, step_key="features", event_specific_data=StepFailureData(error, None)
    )
    sensors.instance.report_dagster_event(interrupted, run.run_id)
    sensors.tick()
    assert rows(sensors.uri)[0]["message"] == (
        "small_daily of 2025-01-04 failed: step features was interrupted: "
        "Exceeded maximum runtime of 7200 seconds (compute.run_max_runtime)"
    )


def _job() -> dg.JobDefinition:
    from ml_assets_tests.pipeline.notifications.notification_cases import definitions

    return definitions().resolve_job_def(f"{MODEL}_daily")


def test_a_run_that_will_be_retried_is_a_warning_and_its_last_attempt_an_error(sensors, webhook):
    sensors.run(error="preempted", tags={"dagster/will_retry": "true"})
    sensors.tick()
    sensors.run(error="preempted again")
    sensors.tick()
    assert [(row["severity"], row["retried"]) for row in rows(sensors.uri)] == [("warning", 1), ("error", 0)]
    # The warning is closed without a message that it is resolved: the run has failed again.
    assert [is_open for _, _, is_open in open_states(sensors)] == [False, True]
    assert webhook.titles == ["small: 1 failed run"] * 2
    sensors.run()
    sensors.tick()
    assert {is_open for _, _, is_open in open_states(sensors)} == {False}


def test_a_run_of_some_assets_resolves_only_failures_of_these_assets(sensors):
    sensors.run(error="no", assets=["evaluation"])
    sensors.run(error="no")
    sensors.run(assets=["evaluation"])
    sensors.tick()
    assert [(row["assets"], row["resolved_at"] is None) for row in rows(sensors.uri)] == [
        ("evaluation", False),
        ("", True),
    ]


def test_a_run_of_all_assets_resolves_failures_of_jobs_with_some_of_them(sensors):
    sensors.run("live", error="no", nodes=["deployment"])
    sensors.run(error="no")
    sensors.run("live", nodes=["deployment"])
    sensors.run("live", "2025-01-02", error="no", nodes=["deployment"])
    sensors.tick()
    still_open = [(row["detail"], row["partition"]) for row in rows(sensors.uri) if row["resolved_at"] is None]
    assert still_open == [("small_daily", "2025-01-01"), ("small_live", "2025-01-02")]
    sensors.run(first="2025-01-01", last="2025-01-02")
    sensors.tick()
    assert {is_open for _, _, is_open in open_states(sensors)} == {False}


def test_a_dry_run_resolves_nothing(sensors):
    sensors.run(error="no")
    sensors.run(dry_run=True)
    sensors.tick()
    assert open_states(sensors) == [("run_failure", "2025-01-01", True)]
    sensors.run()
    sensors.tick()
    assert open_states(sensors) == [("run_failure", "2025-01-01", False)]


def test_a_part_of_a_command_resolves_only_failures_of_the_same_part(sensors):
    spec, job = ModelSpec.model_validate(SMALL), definitions().resolve_job_def("small_daily")

    def run_part(name: str, error: str) -> None:
        run_days(job, sensors.instance, spec, [name], [date(2025, 1, 1)], ops={name: {"config": {"error": error}}})

    with pytest.raises(RunFailed):
        run_part("evaluation", "no")
    run_part("validated_data", "")
    sensors.tick()
    assert [(row["assets"], row["resolved_at"] is None) for row in rows(sensors.uri)] == [("evaluation", True)]
    run_part("evaluation", "")
    sensors.tick()
    assert [row["resolved_at"] is None for row in rows(sensors.uri)] == [False]


def test_ad_hoc_runs_of_assets_are_notified_for_each_model(sensors):
    job = dg.Definitions(assets=[_failing("one"), _failing("two")]).resolve_implicit_global_asset_job_def()
    job.execute_in_process(
        instance=sensors.instance,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    sensors.tick()
    assert {(row["kind"], row["detail"]) for row in rows(sensors.uri)} == {("run_failure", "__ASSET_JOB")}


def _failing(model: str) -> dg.AssetsDefinition:
    @dg.asset(key=[model, "raw_data"])
    def fail():
        raise ValueError("no")

    return fail


def test_a_late_day_is_notified_and_resolved_once_it_is_accepted(sensors, webhook):
    key = dg.AssetKey([MODEL, "validated_data"])

    @dg.asset_check(asset=key, name="newest_day_on_time")
    def late():
        return dg.AssetCheckResult(passed=False, description="2025-01-03: not made", metadata={"day": "2025-01-03"})

    job = dg.Definitions(
        assets=[dg.AssetSpec(key)],
        asset_checks=[late],
        jobs=[dg.define_asset_job("small_freshness", dg.AssetSelection.checks(late))],
    )
    job.resolve_job_def("small_freshness").execute_in_process(instance=sensors.instance)
    sensors.tick()
    assert open_states(sensors) == [("freshness", "2025-01-03", True)]
    assert "2025-01-03 late: not made" in webhook.received[0]["message"]
    sensors.run(outcomes=accepted(date(2025, 1, 3)), last="2025-01-05")
    sensors.tick()
    assert open_states(sensors)[0] == ("freshness", "2025-01-03", True)
    sensors.run(outcomes=accepted(), last="2025-01-05")
    sensors.tick()
    assert {is_open for _, _, is_open in open_states(sensors)} == {False}


def test_freshness_policies_are_notified_for_assets_that_the_freshness_check_does_not_cover(sensors):
    def change(asset: str, state: FreshnessState) -> None:
        event = FreshnessStateChange(
            key=dg.AssetKey([MODEL, asset]),
            new_state=state,
            previous_state=FreshnessState.UNKNOWN,
            state_change_timestamp=next(clock),
        )
        sensors.instance._report_runless_asset_event(event)

    clock = iter(float(number) for number in range(1_735_000_000, 1_735_000_100))
    for asset in ("raw_data", "validated_data", "predictions"):
        change(asset, FreshnessState.FAIL)
    sensors.tick()
    assert [(row["kind"], row["detail"], row["resolved_at"]) for row in rows(sensors.uri)] == [
        ("freshness", "predictions", None)
    ]
    change("predictions", FreshnessState.PASS)
    sensors.tick()
    assert open_states(sensors) == [("freshness", "", False)]


def test_a_rollback_is_resolved_by_a_promotion_and_an_unreachable_lake_stops_no_other_message(
    sensors, webhook, tmp_path
):
    sensors.lake = Lake(uri=str(tmp_path / "lake"))
    ledger = Ledger(sensors.lake, MODEL)
    assert sensors.tick_releases().startswith("0 rollbacks")
    for version in (FIRST, SECOND):
        ledger.append(ledger.latest(), move("promote", promote(ledger.latest(), version)))
    ledger.append(ledger.latest(), move("rollback", roll_back(ledger.latest())))
    assert ledger.number() == 3
    assert sensors.tick_releases().startswith("1 rollbacks recorded")
    assert sensors.tick_releases().startswith("0 rollbacks recorded")
    sensors.tick()
    assert webhook.titles == ["small: 1 rollback"]
    good, sensors.lake = (
        sensors.lake,
        Lake(uri="s3://gone/lake", s3={"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"}),
    )
    before = sensors.releases_cursor
    with pytest.raises(Exception, match=r".+"):
        sensors.tick_releases()
    assert sensors.releases_cursor == before
    sensors.run(error="no lake")
    sensors.tick()
    assert webhook.titles[1:] == ["small: 1 failed run"]
    sensors.lake = good
    ledger.append(ledger.latest(), move("promote", promote(ledger.latest(), THIRD)))
    sensors.tick_releases()
    sensors.tick()
    assert webhook.titles[2:] == ["small: resolved: 1 rollback"]


def test_a_tick_fails_while_the_database_is_down_and_the_next_begins_at_the_same_position(sensors, tmp_path, webhook):
    sensors.tick()
    good, cursor = sensors.uri, sensors.cursor
    sensors.run(error="no")
    sensors.uri = "postgresql+psycopg2://me:hidden@127.0.0.1:1/state"
    for _ in range(2):
        with pytest.raises(NotificationsUnavailable, match="Connection refused"):
            sensors.tick()
    assert sensors.cursor == cursor
    sensors.uri = good
    sensors.tick()
    assert (open_states(sensors), webhook.titles) == ([("run_failure", "2025-01-01", True)], ["small: 1 failed run"])


def test_a_tick_that_died_before_its_cursor_was_saved_is_repeated_without_a_second_message(sensors, webhook):
    sensors.run(error="no")
    sensors.run(outcomes=accepted(date(2025, 1, 2)), last="2025-01-05")
    for _ in range(3):
        sensors.cursor = None
        sensors.tick()
    assert [(kind, is_open) for kind, _, is_open in open_states(sensors)] == [
        ("run_failure", False),
        ("rejected_day", True),
    ]
    assert len(webhook.received) == 1


def test_an_unreachable_target_gets_its_messages_later_and_the_others_get_theirs_once(sensors, webhook, monkeypatch):
    monkeypatch.setattr("ml_assets.resources.notifications.outbox.delay_before", lambda attempt: timedelta(0))
    with Webhook() as dead:
        dead.status = 503
        sensors.targets = f"{webhook.url} {dead.url}"
        sensors.run(error="no")
        assert "JSON 2 did not accept the message on small; it is sent again later" in sensors.tick()
        sensors.run(error="no", first="2025-01-02")
        sensors.tick()
        assert (webhook.titles, dead.titles) == (["small: 1 failed run"] * 2, [])
        dead.status = 200
        sensors.tick()
        sensors.tick()
    assert (len(webhook.received), dead.titles) == (2, ["small: 2 failed runs"])
    assert {
        row["attempts"]
        for row in rows(sensors.uri, "SELECT * FROM pipeline_notification_deliveries WHERE target = 'JSON 2'")
    } == {2, 3}


@pytest.mark.slow
def test_a_backlog_is_read_in_parts_and_no_success_before_the_failure_that_it_repairs(sensors, monkeypatch):
    monkeypatch.setattr(event_log, "MAX_EVENTS", 2)
    days = [f"2025-01-{number:02}" for number in range(1, 7)]
    for day in days:
        sensors.run(error="no", first=day)
    sensors.run(first=days[0])
    sensors.run(first=days[-1])
    for ticks in range(1, 10):
        sensors.tick()
        assert len(open_states(sensors)) <= 2 * ticks
    assert open_states(sensors) == [("run_failure", day, day not in (days[0], days[-1])) for day in days]


def test_failures_older_than_the_look_back_of_the_first_tick_are_not_notified(sensors, monkeypatch):
    monkeypatch.setattr(sensor_module, "LOOK_BACK", timedelta(0))
    sensors.run(error="no")
    sensors.tick()
    assert not Path(sensors.uri.removeprefix("sqlite:///")).exists() or open_states(sensors) == []
    monkeypatch.setattr(sensor_module, "LOOK_BACK", timedelta(days=1))
    sensors.tick()
    assert open_states(sensors) == [("run_failure", "2025-01-01", True)]


def test_the_youngest_events_are_left_for_the_next_tick(sensors, monkeypatch):
    monkeypatch.setattr(event_log, "SECONDS_TO_SETTLE", 60.0)
    sensors.run(error="no")
    assert sensors.tick().startswith("0 runs ended")
    monkeypatch.setattr(event_log, "SECONDS_TO_SETTLE", 0.0)
    assert sensors.tick().startswith("1 run ended")


def test_no_secret_is_in_a_row_a_message_or_a_skip_reason(sensors, webhook, caplog, monkeypatch):
    sensors.secrets = ["configured-secret"]
    sensors.run(error="configured-secret postgresql://me:hunter2@db/x AKIAIOSFODNN7EXAMPLE hook-with-a-secret-path")
    webhook.status = 500
    sensors.tick()
    webhook.status = 200
    sensors.run(error="configured-secret again", first="2025-01-02")
    sensors.tick()
    deliveries = rows(sensors.uri, "SELECT * FROM pipeline_notification_deliveries")
    public = f"{deliveries} {webhook.received} {sensors.skip_messages}"
    for secret in ("configured-secret", "hunter2", "AKIAIOSFODNN7EXAMPLE"):
        assert secret not in f"{rows(sensors.uri)} {public} {caplog.text}"
    assert "hook-with-a-secret-path" not in public
    assert len(webhook.received) == 1


def test_a_broken_model_is_notified_once_and_resolved_when_it_loads_or_is_removed():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    (failure,) = sensor_module.events_of_broken_models([], {"churn": "defs.yaml:3: target"}, at)
    assert (failure.kind, failure.model, failure.failed) == (Kind.BROKEN_MODEL, "churn", True)
    assert "defs.yaml:3: target" in failure.message
    later = at + timedelta(minutes=1)
    (again,) = sensor_module.events_of_broken_models(["churn"], {"churn": "defs.yaml:4: entity"}, later)
    notifications = fold([], [failure, again])
    assert [notification.is_open for notification in notifications] == [True]
    (success,) = sensor_module.events_of_broken_models(["churn"], {}, later)
    assert [notification.is_open for notification in fold(notifications, [success])] == [False]


@pytest.mark.parametrize("edited", ["garbage", "[]"])
def test_a_cursor_that_somebody_edited_is_begun_anew(instance, tmp_path, monkeypatch, edited):
    read_events_immediately(monkeypatch)
    sensors = NotificationSensors(instance, sqlite(tmp_path), lake=Lake(uri=str(tmp_path / "lake")))
    sensors.run(error="boom")
    sensors.cursor = sensors.releases_cursor = edited
    assert sensors.tick().startswith("1 run ended: 1 notification opened")
    assert sensors.tick_releases() == "0 rollbacks recorded, 0 resolved by a promotion"
