"""The outbox on real databases: one row for each failure, whichever process writes it, one message for each target."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import create_engine, text

from ml_assets.core.operations.notifications.events import Kind, NotificationEvent, fold
from ml_assets.resources.databases.postgresql_uri import with_driver
from ml_assets.resources.notifications.database import NotificationsUnavailable
from ml_assets.resources.notifications.outbox import LEASE, Outbox
from ml_assets_tests.core.operations.notifications.test_events import BEGIN, HAPPENINGS, failure, success
from ml_assets_tests.support.postgresql import PASSWORD

pytestmark = pytest.mark.clock

NOW = datetime(2025, 3, 2, tzinfo=UTC)
TARGETS = ["Slack 1", "E-Mail 1"]


@pytest.fixture(params=["sqlite", "postgresql"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'notifications.db'}"
    return with_driver(request.getfixturevalue("postgresql").new_database())


def rows(uri: str, statement: str = "SELECT * FROM pipeline_notifications ORDER BY id") -> list[dict]:
    engine = create_engine(uri)
    with engine.connect() as connection:
        records = [dict(row) for row in connection.execute(text(statement)).mappings()]
    engine.dispose()
    return records


def claimed(outbox: Outbox, now: datetime, target: str = TARGETS[0]) -> list[tuple[str, str]]:
    return [(due.news, due.notification.event.detail) for due in outbox.claim(target, "small", now)]


def test_a_failure_is_a_row_with_its_details_and_without_secrets(uri):
    outbox = Outbox(uri, ["hunter2-and-more"])
    event = failure(
        1, message="it failed with hunter2-and-more", run="r1", link="/runs/r1", assets=frozenset({"b", "a"})
    )
    assert outbox.record([event], TARGETS, NOW) == (1, 0)
    (row,) = rows(uri)
    assert {name: row[name] for name in ("run", "model", "partition", "kind", "severity", "message")} == {
        "run": "r1",
        "model": "small",
        "partition": "2025-02-01",
        "kind": "run_failure",
        "severity": "error",
        "message": "it failed with ***",
    }
    # SQLite returns text in UTC without a zone, and PostgreSQL a time in the zone of the machine.
    created = datetime.fromisoformat(str(row["created_at"]))
    assert (created if created.tzinfo else created.replace(tzinfo=UTC)) == NOW
    assert row["resolved_at"] is None
    assert outbox.record([success(2, run="r2", assets=frozenset({"b", "a"}))], TARGETS, NOW) == (0, 1)
    assert rows(uri)[0]["resolved_by"] == "r2"


def test_the_same_events_read_again_change_nothing_and_a_new_failure_is_a_new_row(uri):
    events = [failure(1), success(2), failure(3)]
    assert Outbox(uri).record(events, TARGETS, NOW) == (2, 1)
    for repeated in (events, events[:2], events[:1], reversed(events)):
        assert Outbox(uri).record(list(repeated), TARGETS, NOW) == (0, 0)
    assert Outbox(uri).open_count() == 1
    assert len(rows(uri, "SELECT * FROM pipeline_notification_deliveries")) == 6
    assert Outbox(uri).record([success(4), failure(5)], TARGETS, NOW) == (1, 1)


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    results: list[object] = [None] * count
    barrier = threading.Barrier(count)

    def do(number: int) -> None:
        barrier.wait()
        results[number] = work(number)

    threads = [threading.Thread(target=do, args=(number,)) for number in range(count)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return results


def test_of_several_that_write_the_same_at_once_one_does_and_of_several_that_send_one_gets_it(uri):
    events = [
        failure(1),
        success(2),
        failure(3),
        *(failure(4, Kind.REJECTED_DAY, f"2025-02-{day:02}", "a: c") for day in range(1, 21)),
    ]
    written = at_once(4, lambda _: Outbox(uri).record(events, TARGETS, NOW))
    assert sorted(written) == [(0, 0)] * 3 + [(22, 1)]
    got = at_once(4, lambda _: Outbox(uri).claim(TARGETS[0], "small", NOW))
    assert sorted(map(len, got)) == [0, 0, 0, 23]


def test_a_delivered_message_is_not_sent_again_and_a_failed_one_is_retried_with_growing_delays(uri):
    outbox = Outbox(uri, ["hunter2-and-more"])
    outbox.record([failure(1)], TARGETS, NOW)
    assert outbox.waiting(TARGETS, NOW) == [(target, "small") for target in outbox_order(outbox)]
    outbox.settle(outbox.claim("Slack 1", "small", NOW), None, NOW)
    now = NOW
    for seconds in (30, 60, 120):
        outbox.settle(outbox.claim("E-Mail 1", "small", now), "no hunter2-and-more", now)
        assert outbox.waiting(TARGETS, now + timedelta(seconds=seconds - 1)) == []
        now += timedelta(seconds=seconds)
        assert outbox.waiting(TARGETS, now) == [("E-Mail 1", "small")]
    (waits,) = rows(uri, "SELECT * FROM pipeline_notification_deliveries WHERE delivered_at IS NULL")
    assert (waits["attempts"], waits["last_error"], waits["target"]) == (3, "no ***", "E-Mail 1")
    outbox.settle(outbox.claim("E-Mail 1", "small", now), None, now)
    assert outbox.waiting(TARGETS, now + timedelta(days=1)) == []


def outbox_order(outbox: Outbox) -> list[str]:
    return [target for target, _ in outbox.waiting(TARGETS, NOW)]


def test_claims_of_a_dead_process_are_sent_by_another_process_after_the_lease(uri):
    outbox = Outbox(uri)
    outbox.record([failure(1)], TARGETS, NOW)
    assert claimed(outbox, NOW) == [("opened", "job")]
    assert claimed(Outbox(uri), NOW + LEASE - timedelta(seconds=1)) == []
    assert claimed(Outbox(uri), NOW + LEASE) == [("opened", "job")]


def test_a_resolution_is_delivered_after_the_failure(uri):
    outbox = Outbox(uri)
    outbox.record([failure(1), success(2)], TARGETS, NOW)
    assert claimed(outbox, NOW) == [("opened", "job"), ("resolved", "job")]


def test_without_targets_rows_are_written_and_nothing_waits_for_targets_that_come_later(uri):
    outbox = Outbox(uri)
    outbox.record([failure(1)], [], NOW)
    assert outbox.open_count() == 1
    assert outbox.waiting(TARGETS, NOW) == []


def test_a_database_that_does_not_answer_is_an_error_without_its_password(tmp_path):
    for uri in (
        f"postgresql+psycopg2://me:{PASSWORD}@127.0.0.1:1/state",
        f"sqlite:///{tmp_path}/missing/notifications.db",
    ):
        with pytest.raises(NotificationsUnavailable, match="cannot be used") as refused:
            Outbox(uri).record([failure(1)], TARGETS, NOW)
        assert PASSWORD not in str(refused.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HAPPENINGS)
def test_rows_follow_the_rules_for_any_events_also_when_events_are_recorded_twice(tmp_path_factory, events):
    uri = f"sqlite:///{tmp_path_factory.mktemp('outbox') / 'notifications.db'}"
    outbox = Outbox(uri)
    ordered = sorted(events, key=lambda event: (event.at, not event.failed, event.key))
    for end in range(0, len(ordered) + 3, 3):
        outbox.record(ordered[max(end - 5, 0) : end], [], NOW)
    expected = fold([], events)
    stored = (
        {(row["dedupe_key"], str(row["happened_at"])[:19], str(row["resolved_at"])[:19]) for row in rows(uri)}
        if ordered
        else set()
    )
    assert stored == {
        (notification.event.key, in_utc(notification.event.at), in_utc(notification.resolved_at))
        for notification in expected
    }


def in_utc(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}" if time else "None"


def test_an_event_is_read_back_as_it_was_written(uri):
    event = failure(1, message="m", run="r", link="/l", assets=frozenset({"a", "b"}), retried=True)
    outbox = Outbox(uri)
    outbox.record([event], TARGETS, NOW)
    (due,) = outbox.claim(TARGETS[0], "small", NOW)
    assert due.notification.event == event
    assert isinstance(due.notification.event, NotificationEvent)
    assert event.at == BEGIN + timedelta(minutes=1)
