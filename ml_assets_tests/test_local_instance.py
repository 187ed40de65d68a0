"""Webserver and daemon as people run them: a backfill over GraphQL, one run at a time for a model, and runs that die.

Each takes up to a minute, because the daemon looks at schedules once a minute: `pytest -m slow`.
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
from ml_assets_tests.support.lake_content import digests
from ml_assets_tests.support.local_instance import LocalInstance
from ml_assets_tests.support.webhook import Webhook

pytestmark = [pytest.mark.clock, pytest.mark.slow]
QUIET = {"sensor": {"enabled": False}, "schedule": {"enabled": False}}


def land(instance: LocalInstance, model: str, *days: date) -> None:
    for which in days:
        folder = instance.landing / model / str(which)
        folder.mkdir(parents=True)
        rows_of(which).to_parquet(folder / "rows.parquet")


def model(name: str, start: date = START, **changes: object) -> dict:
    return {**SMALL, "name": name, "source": {"files": f"{name}/{{day}}/*", "start": str(start)}, **QUIET, **changes}


def ended(instance: LocalInstance, count: int) -> list[dict] | None:
    runs = instance.runs()
    return (
        runs
        if len(runs) >= count and all(run["status"] in ("SUCCESS", "FAILURE", "CANCELED") for run in runs)
        else None
    )


def is_alive(process: int) -> bool:
    # Of a dead process that nobody has asked after, the command line is empty.
    command = Path(f"/proc/{process}/cmdline")
    return command.exists() and bool(command.read_bytes())


def test_a_backfill_over_graphql_is_one_run_that_publishes_the_good_days(tmp_path: Path):
    with LocalInstance(tmp_path, [model("small")]) as instance:
        land(instance, "small", *(day(number) for number in range(1, 13) if number != 5))
        (instance.landing / "small" / str(day(7)) / "rows.parquet").write_bytes(b"torn")
        instance.start_webserver()
        instance.start_daemon()
        instance.backfill("small", day(1), day(12))
        (run,) = instance.wait("the end of the run", lambda: ended(instance, 1), 120)
        assert run["status"] == "SUCCESS"
        good = {day(number) for number in range(1, 13)} - {day(5), day(7)}
        for table in ("raw_data", "validated_data", "features"):
            assert {when for name, when in digests(instance.lake, "small") if name == table} == good
        said = " ".join(event.get("message") or "" for event in instance.events(run["runId"]))
        assert f"no files have landed for {day(5)}" in said
        assert f"cannot be read: small/{day(7)}/rows.parquet" in said


def test_scattered_days_are_made_and_no_others_and_a_second_backfill_finds_nothing_to_do(tmp_path: Path):
    ranges = [(day(1), day(3)), (day(6), day(6)), (day(9), day(10))]
    chosen = {day(number) for number in (1, 2, 3, 6, 9, 10)}
    with LocalInstance(tmp_path, [model("small")]) as instance:
        land(instance, "small", *chosen, day(12))
        instance.start_webserver()
        instance.start_daemon()
        contents = []
        for _ in range(2):
            ends = partial(instance.backfill_status, instance.backfill("small", *ranges[0], *ranges[1:]))
            instance.wait("the end of the backfill", lambda ends=ends: ends() == "COMPLETED_SUCCESS", 120)
            contents.append(digests(instance.lake, "small"))
        assert {when for name, when in contents[0] if name in ("raw_data", "validated_data", "features")} == chosen
        assert contents[0] == contents[1]


def test_a_model_has_one_run_at_a_time_whatever_launches_them_and_another_model_goes_on(tmp_path: Path):
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
        made_by = ("dagster/backfill", "dagster/schedule_name")
        instance.wait(
            "a run of each kind",
            lambda: all(any(tag in run["tags"] for run in instance.runs()) for tag in made_by),
            150,
        )
        # The run that was killed is tried again.
        instance.wait("the end of all of these", lambda: ended(instance, 7), 150)
        runs = instance.runs()
        assert {run["runId"] for run in runs if run["status"] != "SUCCESS"} == {killed}
        assert [run["tags"]["dagster/parent_run_id"] for run in runs if "dagster/retry_number" in run["tags"]] == [
            killed
        ]
        of_two = sorted((run["startTime"], run["endTime"]) for run in runs if run["runId"] in other)
        of_one = sorted((run["startTime"], run["endTime"]) for run in runs if run["runId"] not in other)
        for spans in (of_one, of_two):
            assert all(begun >= before for (_, before), (begun, _) in itertools.pairwise(spans))
        assert of_two[0][0] < of_one[-1][1]


def test_a_run_that_died_with_its_server_ends_and_the_next_one_goes_on(tmp_path: Path):
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
        runs = instance.wait("the end of both, and of the one that goes on", lambda: ended(instance, 3), 150)
        (again,) = [run for run in runs if run["tags"].get("dagster/parent_run_id") == killed]
        assert {run["runId"]: run["status"] for run in runs} == {
            killed: "FAILURE",
            waiting: "SUCCESS",
            again["runId"]: "SUCCESS",
        }
        assert again["tags"]["dagster/retry_number"] == "1"


def test_a_run_whose_process_died_goes_on_from_where_it_was(tmp_path: Path):
    with LocalInstance(tmp_path, [model("small")]) as instance:
        land(instance, "small", *(day(number) for number in range(1, 150)))
        instance.start_webserver()
        instance.start_daemon()
        killed = instance.launch("small", day(1), day(149))
        process = instance.wait("the run", lambda: instance.process_of(killed), 60)
        validated = instance.lake / "small" / "validated_data"
        instance.wait("the second step", lambda: [*validated.glob("day=*")], 60, every=0.01)
        os.kill(process, signal.SIGKILL)
        runs = instance.wait("the run that goes on", lambda: ended(instance, 2), 240)
        (again,) = [run for run in runs if run["runId"] != killed]
        assert {run["runId"]: run["status"] for run in runs} == {killed: "FAILURE", again["runId"]: "SUCCESS"}
        assert again["tags"]["dagster/parent_run_id"] == killed
        begun = {
            event["message"]
            for event in instance.events(again["runId"])
            if event["__typename"] == "ExecutionStepStartEvent"
        }
        assert begun == {f'Started execution of step "small__{step}".' for step in ("validated_data", "features")}


def test_a_failed_run_and_a_rejected_day_are_told_by_the_daemon_and_again_when_they_are_repaired(tmp_path: Path):
    with Webhook() as webhook, LocalInstance(tmp_path, [model("small")]) as instance:
        instance.environment["ML_ASSETS_NOTIFY"] = webhook.url
        land(instance, "small", day(1), day(2))
        (instance.landing / "small" / str(day(2)) / "rows.parquet").write_bytes(b"torn")
        instance.start_webserver()
        instance.start_daemon()
        instance.launch("small", day(3))
        instance.launch("small", day(1), day(2))
        kept = f"sqlite:///{instance.home / 'notifications.db'}"
        instance.wait(
            "both", lambda: {one.partition(": ")[2] for one in said(webhook)} >= {"1 failed run", "1 rejected day"}, 300
        )
        assert {(row["kind"], row["partition"]) for row in rows(kept)} == {
            ("run_failure", str(day(3))),
            ("rejected_day", str(day(2))),
        }
        for which in (2, 3):
            (instance.landing / "small" / str(day(which))).mkdir(exist_ok=True)
            rows_of(day(which)).to_parquet(instance.landing / "small" / str(day(which)) / "rows.parquet")
        instance.launch("small", day(1), day(3))
        instance.wait("the resolution", lambda: all(row["resolved_at"] for row in rows(kept)), 300)
        instance.wait("its message", lambda: sum(one.startswith("resolved") for one in said(webhook)) >= 2, 60)
        assert len(rows(kept)) == 2


def said(webhook: Webhook) -> list[str]:
    """What the titles of messages count, one by one."""
    parts = [part for title in webhook.titles for part in title.removeprefix("small: ").split("; ")]
    return [
        f"{'resolved' if part.startswith('resolved') else 'opened'}: {one}"
        for part in parts
        for one in part.removeprefix("resolved: ").split(", ")
    ]
