"""A failure has one open notification, which a later success resolves; reading events again has no effect."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.operations.notifications.events import (
    Kind,
    Notification,
    NotificationEvent,
    Severity,
    delay_before,
    fold,
    highest_severity,
    resolves,
)

BEGIN = datetime(2025, 3, 1, tzinfo=UTC)


def event(
    minute: int, failed: bool, kind: Kind = Kind.RUN_FAILURE, partition: str = "2025-02-01", detail: str = "job", **more
) -> NotificationEvent:
    return NotificationEvent(
        kind, more.pop("model", "small"), partition, detail, failed, BEGIN + timedelta(minutes=minute), **more
    )


def failure(minute: int, *about, **more) -> NotificationEvent:
    return event(minute, True, *about, **more)


def success(minute: int, *about, **more) -> NotificationEvent:
    return event(minute, False, *about, **more)


def test_a_repeated_failure_opens_one_notification_until_it_is_resolved():
    result = fold([], [failure(1), failure(2), success(3), failure(4)])
    assert [(entry.event.at.minute, entry.is_open) for entry in result] == [(1, False), (4, True)]
    assert result[0].resolved_at == BEGIN + timedelta(minutes=3)


def test_a_success_without_an_earlier_failure_opens_nothing():
    assert fold([], [success(1)]) == []
    assert [entry.is_open for entry in fold([], [success(1), failure(2)])] == [True]


DAY, RANGE = "2025-02-03", "2025-02-01...2025-02-05"


@pytest.mark.parametrize(
    ("failed", "succeeded", "is_repaired"),
    [
        ((Kind.RUN_FAILURE, DAY, "job", {}), (Kind.RUN_FAILURE, RANGE, "job", {}), True),
        ((Kind.RUN_FAILURE, RANGE, "job", {}), (Kind.RUN_FAILURE, DAY, "job", {}), False),
        ((Kind.RUN_FAILURE, DAY, "job", {}), (Kind.RUN_FAILURE, DAY, "other", {}), False),
        ((Kind.RUN_FAILURE, "", "job", {}), (Kind.RUN_FAILURE, "", "job", {}), True),
        ((Kind.RUN_FAILURE, DAY, "job", {}), (Kind.RUN_FAILURE, "", "job", {}), False),
        ((Kind.RUN_FAILURE, DAY, "job", {"retried": True}), (Kind.RUN_FAILURE, DAY, "job", {}), True),
        (
            (Kind.RUN_FAILURE, DAY, "job", {"assets": frozenset("a")}),
            (Kind.RUN_FAILURE, DAY, "job", {"assets": frozenset("ab")}),
            True,
        ),
        (
            (Kind.RUN_FAILURE, DAY, "job", {"assets": frozenset("ab")}),
            (Kind.RUN_FAILURE, DAY, "job", {"assets": frozenset("b")}),
            False,
        ),
        ((Kind.RUN_FAILURE, DAY, "job", {}), (Kind.RUN_FAILURE, DAY, "job", {"assets": frozenset("b")}), False),
        ((Kind.REJECTED_DAY, DAY, "a: c", {}), (Kind.REJECTED_DAY, DAY, "a: c", {}), True),
        ((Kind.REJECTED_DAY, DAY, "a: c", {}), (Kind.REJECTED_DAY, "2025-02-04", "a: c", {}), False),
        ((Kind.FAILED_GATE, DAY, "a: c", {}), (Kind.REJECTED_DAY, DAY, "a: c", {}), False),
        ((Kind.FAILED_GATE, DAY, "a: c", {}), (Kind.FAILED_GATE, DAY, "a: d", {}), False),
        ((Kind.FAILED_GATE, DAY, "a: c", {}), (Kind.FAILED_GATE, "2025-02-10", "a: c", {}), True),
        ((Kind.FAILED_GATE, DAY, "a: c", {}), (Kind.FAILED_GATE, "2025-01-31", "a: c", {}), False),
        ((Kind.FRESHNESS, DAY, "a: newest", {}), (Kind.REJECTED_DAY, DAY, "a: c", {}), True),
        ((Kind.FRESHNESS, DAY, "a: newest", {}), (Kind.REJECTED_DAY, DAY, "labels: c", {}), False),
        ((Kind.FRESHNESS, "", "a", {}), (Kind.REJECTED_DAY, DAY, "a: c", {}), False),
        ((Kind.ROLLBACK, DAY, "release 3", {}), (Kind.ROLLBACK, "2025-02-20", "release 7", {}), True),
        ((Kind.REJECTED_DAY, DAY, "a: c", {}), (Kind.REJECTED_DAY, DAY, "a: c", {"model": "other"}), False),
    ],
)
def test_a_success_resolves_the_failures_that_it_covers(failed, succeeded, is_repaired):
    (kind, partition, detail, more), (of, days, by, also) = failed, succeeded
    assert (
        resolves(success(2, of, days, by, **also), Notification(failure(1, kind, partition, detail, **more)))
        is is_repaired
    )


def test_only_an_earlier_open_failure_is_resolved_and_only_by_a_success():
    assert not resolves(success(1), Notification(failure(1)))
    assert not resolves(success(2), Notification(failure(1), resolved_at=BEGIN))
    assert not resolves(failure(2), Notification(failure(1)))


def test_a_gate_that_passes_on_a_later_day_of_the_same_run_resolves_its_failures():
    gate = (Kind.FAILED_GATE, "2025-02-01", "gate_roc_auc")
    later = success(1, Kind.FAILED_GATE, "2025-02-02", "gate_roc_auc")
    assert [entry.is_open for entry in fold([], [failure(1, *gate), later])] == [False]
    earlier = success(1, Kind.FAILED_GATE, "2025-01-31", "gate_roc_auc")
    assert [entry.is_open for entry in fold([], [failure(1, *gate), earlier])] == [True]


def test_a_final_failure_is_reported_even_after_a_retried_attempt():
    result = fold([], [failure(1, retried=True), failure(2), success(3)])
    assert [(entry.event.retried, entry.is_open) for entry in result] == [(True, False), (False, False)]


def test_the_failure_of_the_last_attempt_replaces_the_warning_of_the_same_run_alone():
    last = failure(2)
    of_another_day = failure(1, Kind.RUN_FAILURE, "2025-02-09", retried=True)
    warning, other, final = fold([], [failure(1, retried=True), of_another_day, last])
    assert (warning.is_open, warning.is_replaced([last])) == (False, True)
    assert other.is_open
    assert final.is_open
    recovered = fold([], [failure(1, retried=True), success(2)])[0]
    assert (recovered.is_open, recovered.is_replaced([success(2)])) == (False, False)


HAPPENINGS = st.lists(
    st.builds(
        event,
        st.integers(0, 12),
        st.booleans(),
        st.sampled_from(Kind),
        st.sampled_from(["2025-02-01", "2025-02-02", "2025-02-01...2025-02-03", ""]),
        st.sampled_from(["job", "a: check"]),
        retried=st.booleans(),
    ),
    max_size=14,
)


@given(HAPPENINGS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_notifications_do_not_depend_on_the_order_or_repetition_of_events(events, chance: random.Random, looks):
    expected = fold([], events)
    shuffled = [*events, *events]
    chance.shuffle(shuffled)
    assert fold([], shuffled) == expected
    # Looks one after the other, each of which may read again what earlier ones have read.
    ordered, known = sorted(events, key=lambda entry: (entry.at, not entry.failed, entry.key)), []
    for look in range(1, looks + 1):
        end = len(ordered) * look // looks
        known = fold(known, ordered[:end])
    assert known == expected
    keys = [entry.event.key for entry in expected if entry.is_open]
    assert len(keys) == len(set(keys))


def test_the_highest_severity_of_a_warning_and_an_error_is_error():
    assert highest_severity([Severity.WARNING, Severity.ERROR]) is Severity.ERROR
    assert highest_severity([Severity.WARNING]) is Severity.WARNING


def test_delays_between_attempts_grow_up_to_an_hour():
    waits = [delay_before(attempt).total_seconds() for attempt in range(2, 14)]
    assert waits[:4] == [30, 60, 120, 240]
    assert waits == sorted(waits)
    assert waits[-1] == 3600
    assert delay_before(10_000) == timedelta(hours=1)


def test_failures_that_are_resolved_separately_have_different_keys():
    original = failure(1, assets=frozenset({"a"}))
    others = [
        replace(original, model="b"),
        replace(original, partition=""),
        replace(original, detail="x"),
        replace(original, kind=Kind.ROLLBACK),
        replace(original, retried=True),
    ]
    assert len({event.key for event in [original, *others, replace(original, assets=frozenset())]}) == 7
