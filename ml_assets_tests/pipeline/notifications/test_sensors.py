"""What fails on a real Dagster instance becomes a row and a message, once; what repairs it resolves it; nothing is lost
and no secret gets out.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.release.release_state import promote, roll_back
from ml_assets.definitions import DEFS
from ml_assets.pipeline.notifications import event_log as ended_runs
from ml_assets.pipeline.notifications import sensors as notifications
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.notifications.database import NotificationsUnavailable
from ml_assets.resources.release.ledger import Ledger
from ml_assets_tests.pipeline.notifications.notification_cases import MODEL, Watch, at_once, sqlite
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
def watch(instance, tmp_path, webhook, monkeypatch) -> Watch:
    at_once(monkeypatch)
    return Watch(instance, sqlite(tmp_path), webhook.url)


def told(watch: Watch) -> list[tuple[str, str, bool]]:
    """(kind, partition, whether it is open) of each row."""
    return [(row["kind"], row["partition"], row["resolved_at"] is None) for row in rows(watch.uri)]


def accepted(
    *failed: date,
    days: int = 5,
    first: date = date(2025, 1, 1),
    severity: str = "error",
    check: str = "every_day_accepted",
):
    found = [first + timedelta(days=number) for number in range(days)]
    return {check: [CheckOutcome(check, day, day not in failed, f"reason of {day}", severity) for day in found]}


@pytest.fixture(params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch) -> Iterator[tuple[dg.DagsterInstance, str]]:
    """An instance as the repository's files have it, and the database of its notifications."""
    home, uri = tmp_path / "dagster", sqlite(tmp_path)
    home.mkdir()
    settings = yaml.safe_load(
        (REPOSITORY / ("dagster.yaml" if request.param == "sqlite" else "dagster-postgres.yaml")).read_text()
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


def test_a_run_that_fails_is_a_row_and_a_message_with_its_reason_and_its_page_and_the_run_that_repairs_it_resolves_it(
    stored, webhook, monkeypatch
):
    at_once(monkeypatch)
    watch = Watch(*stored, webhook.url)
    failed = watch.run(error="the disk is full", first="2025-01-02")
    watch.look()
    assert told(watch) == [("run_failure", "2025-01-02", True)]
    (row,) = rows(watch.uri)
    assert (row["run"], row["model"], row["severity"]) == (failed, MODEL, "error")
    assert "step deployment: ValueError: the disk is full" in row["message"]
    assert webhook.titles == ["small: 1 failed run"]
    assert f"http://ui/runs/{failed}" in webhook.received[0]["message"]
    watch.run("features", "2025-01-02")
    watch.run(first="2025-01-03", last="2025-01-09")
    watch.look()
    assert told(watch) == [("run_failure", "2025-01-02", True)]
    repaired = watch.run(first="2025-01-01", last="2025-01-09")
    watch.look()
    assert (told(watch), rows(watch.uri)[0]["resolved_by"]) == ([("run_failure", "2025-01-02", False)], repaired)
    assert webhook.titles[1:] == ["small: resolved: 1 failed run"]
    assert webhook.received[1]["type"] == "success"
    for _ in range(2):
        watch.look()
    assert len(webhook.received) == 2


def test_forty_rejected_days_of_a_run_are_forty_rows_and_one_message_and_each_is_resolved_by_itself(watch, webhook):
    bad = [date(2025, 1, 1) + timedelta(days=number) for number in range(40)]
    watch.run(outcomes=accepted(*bad, days=60), last="2025-03-01")
    watch.look()
    assert told(watch) == [("rejected_day", str(day), True) for day in bad]
    assert webhook.titles == ["small: 40 rejected days"]
    assert "and 28 more" in webhook.received[0]["message"]
    assert (
        "2025-01-01 not accepted: reason of 2025-01-01 http://ui/assets/small/validated_data"
        in webhook.received[0]["message"]
    )
    watch.run(outcomes=accepted(bad[0], days=2), last="2025-01-02")
    watch.look()
    assert [partition for _, partition, is_open in told(watch) if not is_open] == ["2025-01-02"]
    assert webhook.titles[1:] == ["small: resolved: 1 rejected day"]


def test_every_day_of_a_range_is_told_however_long_it_is(watch):
    first, bad = date(2025, 1, 1), [date(2025, 1, 1) + timedelta(days=number) for number in range(0, 420, 2)]
    watch.run(outcomes=accepted(*bad, days=420), last="2026-02-24")
    watch.look()
    assert len(told(watch)) == 210
    watch.run(outcomes=accepted(days=420), last="2026-02-24")
    watch.look()
    assert {is_open for _, _, is_open in told(watch)} == {False}
    assert told(watch)[0][1] == str(first)


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        ("gate_roc_auc", "failed_gate"),
        ("leaks", "failed_check"),
        ("volume", None),
        ("every_day_accepted", "rejected_day"),
    ],
)
def test_gates_rejected_days_and_blocking_checks_are_told_and_others_are_for_the_report(watch, check, kind):
    # Good days are left, so that nothing stops the run.
    watch.run(outcomes=accepted(date(2025, 1, 3), check=check), last="2025-01-05")
    watch.look()
    assert told(watch) == ([(kind, "2025-01-03", True)] if kind else [])
    watch.run(outcomes=accepted(check=check), last="2025-01-05")
    watch.look()
    assert told(watch) == ([(kind, "2025-01-03", False)] if kind else [])


def test_a_check_that_warns_is_told_as_a_warning(watch, webhook):
    watch.run(outcomes=accepted(date(2025, 1, 1), days=1, severity="warn"))
    watch.look()
    assert [row["severity"] for row in rows(watch.uri)] == ["warning"]
    assert webhook.received[0]["type"] == "warning"


def test_a_cancelled_run_is_no_failure_but_what_its_checks_had_found_is_told(watch):
    run_id = watch.run(outcomes=accepted(date(2025, 1, 1), days=1))
    cancelled = watch.instance.get_run_by_id(watch.run("features"))
    assert cancelled is not None
    watch.instance.report_run_canceled(cancelled)
    watch.look()
    assert told(watch) == [("rejected_day", "2025-01-01", True)]
    assert rows(watch.uri)[0]["run"] == run_id


def test_a_run_whose_process_died_is_a_failure_when_the_daemon_says_so(watch):
    run = watch.instance.create_run_for_job(_job(), tags={"model": MODEL, "dagster/partition": "2025-01-04"})
    watch.look()
    watch.instance.report_run_failed(run, "This run has been marked as failed because its process is gone")
    watch.look()
    assert told(watch) == [("run_failure", "2025-01-04", True)]
    assert "its process is gone" in rows(watch.uri)[0]["message"]


def _job() -> dg.JobDefinition:
    from ml_assets_tests.pipeline.notifications.notification_cases import definitions

    return definitions().resolve_job_def(f"{MODEL}_daily")


def test_a_run_that_will_be_tried_again_is_a_warning_and_its_last_attempt_an_error(watch):
    watch.run(error="preempted", tags={"dagster/will_retry": "true"})
    watch.run(error="preempted again")
    watch.look()
    assert [(row["severity"], row["retried"]) for row in rows(watch.uri)] == [("warning", 1), ("error", 0)]
    watch.run()
    watch.look()
    assert {is_open for _, _, is_open in told(watch)} == {False}


def test_a_part_of_a_job_repairs_that_part_only(watch):
    watch.run(error="no", assets=["evaluation"])
    watch.run(error="no")
    watch.run(assets=["evaluation"])
    watch.look()
    assert [(row["assets"], row["resolved_at"] is None) for row in rows(watch.uri)] == [
        ("evaluation", False),
        ("", True),
    ]


def test_runs_of_assets_without_a_job_of_their_own_are_told_by_model(watch):
    job = dg.Definitions(assets=[_failing("one"), _failing("two")]).resolve_implicit_global_asset_job_def()
    job.execute_in_process(
        instance=watch.instance,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    watch.look()
    assert {(row["kind"], row["detail"]) for row in rows(watch.uri)} == {("run_failure", "__ASSET_JOB")}


def _failing(model: str) -> dg.AssetsDefinition:
    @dg.asset(key=[model, "raw_data"])
    def fail():
        raise ValueError("no")

    return fail


def test_a_late_day_is_told_and_resolved_when_it_is_there(watch, webhook):
    key = dg.AssetKey([MODEL, "validated_data"])

    @dg.asset_check(asset=key, name="newest_day_on_time")
    def late():
        return dg.AssetCheckResult(passed=False, description="2025-01-03: not made", metadata={"day": "2025-01-03"})

    job = dg.Definitions(
        assets=[dg.AssetSpec(key)],
        asset_checks=[late],
        jobs=[dg.define_asset_job("small_freshness", dg.AssetSelection.checks(late))],
    )
    job.resolve_job_def("small_freshness").execute_in_process(instance=watch.instance)
    watch.look()
    assert told(watch) == [("freshness", "2025-01-03", True)]
    assert "2025-01-03 late: not made" in webhook.received[0]["message"]
    watch.run(outcomes=accepted(date(2025, 1, 3)), last="2025-01-05")
    watch.look()
    assert told(watch)[0] == ("freshness", "2025-01-03", True)
    watch.run(outcomes=accepted(), last="2025-01-05")
    watch.look()
    assert {is_open for _, _, is_open in told(watch)} == {False}


def test_dagster_s_freshness_policies_are_told_of_assets_that_no_check_of_the_newest_day_sees(watch):
    def change(asset: str, state: FreshnessState) -> None:
        event = FreshnessStateChange(
            key=dg.AssetKey([MODEL, asset]),
            new_state=state,
            previous_state=FreshnessState.UNKNOWN,
            state_change_timestamp=next(clock),
        )
        watch.instance._report_runless_asset_event(event)

    clock = iter(float(number) for number in range(1_735_000_000, 1_735_000_100))
    for asset in ("raw_data", "validated_data", "predictions"):
        change(asset, FreshnessState.FAIL)
    watch.look()
    assert [(row["kind"], row["detail"], row["resolved_at"]) for row in rows(watch.uri)] == [
        ("freshness", "predictions", None)
    ]
    change("predictions", FreshnessState.PASS)
    watch.look()
    assert told(watch) == [("freshness", "", False)]


def test_a_rollback_is_told_and_ended_by_a_promotion_and_a_lake_that_does_not_answer_stops_no_other_message(
    watch, webhook, tmp_path
):
    watch.lake = Lake(uri=str(tmp_path / "lake"))
    ledger = Ledger(watch.lake, MODEL)
    assert watch.scan_releases().startswith("0 rollbacks")
    for version in (FIRST, SECOND):
        ledger.append(ledger.latest(), move("promote", promote(ledger.latest(), version)))
    ledger.append(ledger.latest(), move("rollback", roll_back(ledger.latest())))
    assert ledger.number() == 3
    assert watch.scan_releases().startswith("1 rollbacks noted")
    assert watch.scan_releases().startswith("0 rollbacks noted")
    watch.look()
    assert webhook.titles == ["small: 1 rollback"]
    good, watch.lake = (
        watch.lake,
        Lake(uri="s3://gone/lake", s3={"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"}),
    )
    before = watch.releases_cursor
    with pytest.raises(Exception, match=r".+"):
        watch.scan_releases()
    assert watch.releases_cursor == before
    watch.run(error="no lake")
    watch.look()
    assert webhook.titles[1:] == ["small: 1 failed run"]
    watch.lake = good
    ledger.append(ledger.latest(), move("promote", promote(ledger.latest(), THIRD)))
    watch.scan_releases()
    watch.look()
    assert webhook.titles[2:] == ["small: resolved: 1 rollback"]


def test_while_the_database_is_down_a_look_fails_and_the_next_one_begins_where_it_did(watch, tmp_path, webhook):
    watch.look()
    good, cursor = watch.uri, watch.cursor
    watch.run(error="no")
    watch.uri = "postgresql+psycopg2://me:hidden@127.0.0.1:1/state"
    for _ in range(2):
        with pytest.raises(NotificationsUnavailable, match="Connection refused"):
            watch.look()
    assert watch.cursor == cursor
    watch.uri = good
    watch.look()
    assert (told(watch), webhook.titles) == ([("run_failure", "2025-01-01", True)], ["small: 1 failed run"])


def test_a_look_that_died_before_its_cursor_was_kept_is_made_again_without_a_second_row_or_message(watch, webhook):
    watch.run(error="no")
    watch.run(outcomes=accepted(date(2025, 1, 2)), last="2025-01-05")
    for _ in range(3):
        watch.cursor = None
        watch.look()
    assert [(kind, is_open) for kind, _, is_open in told(watch)] == [("run_failure", False), ("rejected_day", True)]
    assert len(webhook.received) == 1


def test_a_target_that_is_dead_gets_its_messages_later_and_the_others_get_theirs_once(watch, webhook, monkeypatch):
    monkeypatch.setattr("ml_assets.resources.notifications.outbox.wait_before", lambda attempt: timedelta(0))
    with Webhook() as dead:
        dead.status = 503
        watch.reached = f"{webhook.url} {dead.url}"
        watch.run(error="no")
        assert "JSON 2 did not take the message on small, which is kept and sent again" in watch.look()
        watch.run(error="no", first="2025-01-02")
        watch.look()
        assert (webhook.titles, dead.titles) == (["small: 1 failed run"] * 2, [])
        dead.status = 200
        watch.look()
        watch.look()
    assert (len(webhook.received), dead.titles) == (2, ["small: 2 failed runs"])
    assert {
        row["attempts"]
        for row in rows(watch.uri, "SELECT * FROM pipeline_notification_deliveries WHERE target = 'JSON 2'")
    } == {2, 3}


def test_a_backlog_is_read_a_part_at_a_time_and_no_success_before_the_failure_that_it_repairs(watch, monkeypatch):
    monkeypatch.setattr(ended_runs, "MOST_EVENTS", 2)
    days = [f"2025-01-{number:02}" for number in range(1, 7)]
    for day in days:
        watch.run(error="no", first=day)
    watch.run(first=days[0])
    watch.run(first=days[-1])
    for looks in range(1, 10):
        watch.look()
        assert len(told(watch)) <= 2 * looks
    assert told(watch) == [("run_failure", day, day not in (days[0], days[-1])) for day in days]


def test_what_failed_longer_ago_than_a_day_before_the_first_look_is_history(watch, monkeypatch):
    monkeypatch.setattr(notifications, "LOOK_BACK", timedelta(0))
    watch.run(error="no")
    watch.look()
    assert not Path(watch.uri.removeprefix("sqlite:///")).exists() or told(watch) == []
    monkeypatch.setattr(notifications, "LOOK_BACK", timedelta(days=1))
    watch.look()
    assert told(watch) == [("run_failure", "2025-01-01", True)]


def test_the_youngest_events_are_left_for_the_next_look(watch, monkeypatch):
    monkeypatch.setattr(ended_runs, "SECONDS_TO_SETTLE", 60.0)
    watch.run(error="no")
    assert watch.look().startswith("0 runs ended")
    monkeypatch.setattr(ended_runs, "SECONDS_TO_SETTLE", 0.0)
    assert watch.look().startswith("1 runs ended")


def test_no_secret_is_in_a_row_a_message_or_what_a_look_says(watch, webhook, caplog, monkeypatch):
    watch.secrets = ["configured-secret"]
    watch.run(error="configured-secret postgresql://me:hunter2@db/x AKIAIOSFODNN7EXAMPLE hook-with-a-secret-path")
    webhook.status = 500
    watch.look()
    webhook.status = 200
    watch.run(error="configured-secret again", first="2025-01-02")
    watch.look()
    everything = f"{rows(watch.uri)} {rows(watch.uri, 'SELECT * FROM pipeline_notification_deliveries')} {webhook.received} {watch.said} {caplog.text}"
    for secret in ("configured-secret", "hunter2", "AKIAIOSFODNN7EXAMPLE"):
        assert secret not in everything
    assert (
        "hook-with-a-secret-path"
        not in f"{watch.said} {rows(watch.uri, 'SELECT * FROM pipeline_notification_deliveries')} {webhook.received}"
    )
    assert len(webhook.received) == 1
