"""Webserver and daemon as users run them: a backfill over GraphQL, one run at a time for a model, and runs that die.

Each test takes up to a minute, because the daemon looks at schedules once a minute: `pytest -m slow`.
"""

import itertools
import os
import signal
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import START, day, rows_of
from ml_assets_tests.resources.notifications.test_outbox import rows
from ml_assets_tests.support.forkserver.liveness import is_alive
from ml_assets_tests.support.lake_content import digests
from ml_assets_tests.support.local_instance import LocalInstance
from ml_assets_tests.support.webhook import Webhook

pytestmark = [pytest.mark.clock, pytest.mark.slow]
QUIET = {"sensor": {"enabled": False}, "schedule": {"enabled": False}}


def land(instance: LocalInstance, model: str, *days: date) -> None:
    for landed_day in days:
        folder = instance.landing / model / str(landed_day)
        folder.mkdir(parents=True)
        rows_of(landed_day).to_parquet(folder / "rows.parquet")


def model(name: str, start: date = START, **changes: object) -> dict:
    return {**SMALL, "name": name, "source": {"files": f"{name}/{{day}}/*", "start": str(start)}, **QUIET, **changes}


def runs_when_ended(instance: LocalInstance, count: int) -> list[dict] | None:
    """Return all runs once at least `count` exist and all have ended."""
    runs = instance.runs()
    return (
        runs
        if len(runs) >= count and all(run["status"] in ("SUCCESS", "FAILURE", "CANCELED") for run in runs)
        else None
    )


def test_a_backfill_over_graphql_is_one_run_that_publishes_the_good_days(tmp_path: Path):
    with LocalInstance(tmp_path, [model("small")]) as instance:
        land(instance, "small", *(day(number) for number in range(1, 13) if number != 5))
        (instance.landing / "small" / str(day(7)) / "rows.parquet").write_bytes(b"torn")
        instance.start_webserver()
        instance.start_daemon()
        instance.backfill("small", day(1), day(12))
        (run,) = instance.wait("the end of the run", lambda: runs_when_ended(instance, 1), 120)
        assert run["status"] == "SUCCESS"
        good = {day(number) for number in range(1, 13)} - {day(5), day(7)}
        for table in ("raw_data", "validated_data", "features"):
            assert {published for name, published in digests(instance.lake, "small") if name == table} == good
        messages = " ".join(event.get("message") or "" for event in instance.events(run["runId"]))
        assert f"no files have landed for {day(5)}" in messages
        assert f"cannot be read: small/{day(7)}/rows.parquet" in messages


def test_a_backfill_of_scattered_days_makes_only_those_and_a_second_one_changes_nothing(tmp_path: Path):
    ranges = [(day(1), day(3)), (day(6), day(6)), (day(9), day(10))]
    chosen = {day(number) for number in (1, 2, 3, 6, 9, 10)}
    with LocalInstance(tmp_path, [model("small")]) as instance:
        land(instance, "small", *chosen, day(12))
        instance.start_webserver()
        instance.start_daemon()
        contents = []
        for _ in range(2):
            status = partial(instance.backfill_status, instance.backfill("small", *ranges[0], *ranges[1:]))
            instance.wait("the end of the backfill", lambda status=status: status() == "COMPLETED_SUCCESS", 120)
            contents.append(digests(instance.lake, "small"))
        assert {
            published for name, published in contents[0] if name in ("raw_data", "validated_data", "features")
        } == chosen
        assert contents[0] == contents[1]


def test_a_model_has_one_run_at_a_time_whatever_launches_it_and_another_model_runs_beside_it(tmp_path: Path):
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=number) for number in range(1, 13)]
    scheduled = model("one", days[-1], schedule={"cron": "* * * * *"})
    with LocalInstance(tmp_path, [scheduled, model("two", days[-1])]) as instance:
        # The schedule takes today as its newest day if midnight passes meanwhile.
        land(instance, "one", today, *days)
        land(instance, "two", *days)
        instance.start_webserver()
        instance.start_daemon()
        instance.backfill("one", days[-1], days[0])
        by_hand = [instance.launch("one", days[-1], days[0]) for _ in range(2)]
        killed = by_hand[0]
        process = instance.wait("the first run", lambda: instance.process_of(killed), 60)
        os.kill(process, signal.SIGKILL)
        other = [instance.launch("two", days[-1], days[0]) for _ in range(2)]
        launch_tags = ("dagster/backfill", "dagster/schedule_name")
        instance.wait(
            "a run of each kind",
            lambda: all(any(tag in run["tags"] for run in instance.runs()) for tag in launch_tags),
            150,
        )
        # The run that was killed is retried.
        instance.wait("the end of all runs", lambda: runs_when_ended(instance, 7), 150)
        runs = instance.runs()
        assert {run["runId"] for run in runs if run["status"] != "SUCCESS"} == {killed}
        assert [run["tags"]["dagster/parent_run_id"] for run in runs if "dagster/retry_number" in run["tags"]] == [
            killed
        ]
        spans_of_two = sorted((run["startTime"], run["endTime"]) for run in runs if run["runId"] in other)
        spans_of_one = sorted((run["startTime"], run["endTime"]) for run in runs if run["runId"] not in other)
        for spans in (spans_of_one, spans_of_two):
            assert all(start >= previous_end for (_, previous_end), (start, _) in itertools.pairwise(spans))
        assert spans_of_two[0][0] < spans_of_one[-1][1]


def test_a_run_that_died_with_its_code_server_fails_and_is_retried_and_the_next_run_starts(tmp_path: Path):
    with LocalInstance(tmp_path, [model("small")]) as instance:
        land(instance, "small", *(day(number) for number in range(1, 100)))
        instance.start_webserver()
        instance.start_daemon()
        killed, waiting = (instance.launch("small", day(1), day(99)) for _ in range(2))
        instance.wait(
            "the start", lambda: {run["runId"]: run["status"] for run in instance.runs()}[killed] == "STARTED", 60
        )
        process = instance.process_of(killed)
        assert process is not None
        instance.stop("daemon", signal.SIGKILL)
        instance.wait("the death of the run", lambda: not is_alive(process), 10)
        instance.start_daemon()
        runs = instance.wait("the end of both runs and of the retry", lambda: runs_when_ended(instance, 3), 150)
        (retry,) = [run for run in runs if run["tags"].get("dagster/parent_run_id") == killed]
        assert {run["runId"]: run["status"] for run in runs} == {
            killed: "FAILURE",
            waiting: "SUCCESS",
            retry["runId"]: "SUCCESS",
        }
        assert retry["tags"]["dagster/retry_number"] == "1"


def test_the_retry_of_a_run_whose_process_died_starts_from_the_step_that_failed(tmp_path: Path):
    with LocalInstance(tmp_path, [model("small")]) as instance:
        land(instance, "small", *(day(number) for number in range(1, 150)))
        instance.start_webserver()
        instance.start_daemon()
        killed = instance.launch("small", day(1), day(149))
        process = instance.wait("the run", lambda: instance.process_of(killed), 60)
        validated = instance.lake / "small" / "validated_data"
        instance.wait("the second step", lambda: [*validated.glob("day=*")], 60, every=0.01)
        os.kill(process, signal.SIGKILL)
        runs = instance.wait("the end of the retry", lambda: runs_when_ended(instance, 2), 240)
        (retry,) = [run for run in runs if run["runId"] != killed]
        assert {run["runId"]: run["status"] for run in runs} == {killed: "FAILURE", retry["runId"]: "SUCCESS"}
        assert retry["tags"]["dagster/parent_run_id"] == killed
        started_steps = {
            event["message"]
            for event in instance.events(retry["runId"])
            if event["__typename"] == "ExecutionStepStartEvent"
        }
        assert started_steps == {
            f'Started execution of step "small__{step}".' for step in ("validated_data", "features")
        }


def test_the_daemon_notifies_of_a_failed_run_and_a_rejected_day_and_again_when_they_are_resolved(tmp_path: Path):
    with Webhook() as webhook, LocalInstance(tmp_path, [model("small")]) as instance:
        instance.environment["ML_ASSETS_NOTIFY"] = webhook.url
        land(instance, "small", day(1), day(2))
        (instance.landing / "small" / str(day(2)) / "rows.parquet").write_bytes(b"torn")
        instance.start_webserver()
        instance.start_daemon()
        instance.launch("small", day(3))
        instance.launch("small", day(1), day(2))
        outbox = f"sqlite:///{instance.home / 'notifications.db'}"
        instance.wait(
            "both notifications",
            lambda: {title.partition(": ")[2] for title in titles(webhook)} >= {"1 failed run", "1 rejected day"},
            300,
        )
        assert {(row["kind"], row["partition"]) for row in rows(outbox)} == {
            ("run_failure", str(day(3))),
            ("rejected_day", str(day(2))),
        }
        for number in (2, 3):
            folder = instance.landing / "small" / str(day(number))
            folder.mkdir(exist_ok=True)
            rows_of(day(number)).to_parquet(folder / "rows.parquet")
        instance.launch("small", day(1), day(3))
        instance.wait("the resolution", lambda: all(row["resolved_at"] for row in rows(outbox)), 300)
        instance.wait("its message", lambda: sum(title.startswith("resolved") for title in titles(webhook)) >= 2, 60)
        assert len(rows(outbox)) == 2


def titles(webhook: Webhook) -> list[str]:
    """List the counts in the titles of messages, each with `opened` or `resolved` before it."""
    parts = [part for title in webhook.titles for part in title.removeprefix("small: ").split("; ")]
    return [
        f"{'resolved' if part.startswith('resolved') else 'opened'}: {count}"
        for part in parts
        for count in part.removeprefix("resolved: ").split(", ")
    ]
