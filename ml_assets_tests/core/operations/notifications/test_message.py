"""A message is short, begins with the highest severity, and links to the UI."""

import pytest

from ml_assets.core.operations.notifications.events import Kind, Notification, Severity
from ml_assets.core.operations.notifications.message import MAX_CHARACTERS, MAX_LINES, compose, shorten
from ml_assets_tests.core.operations.notifications.test_events import BEGIN, failure


def rejected(number: int, **more) -> Notification:
    return Notification(
        failure(
            number,
            Kind.REJECTED_DAY,
            f"2025-02-{number:02}",
            message=f"day {number} not accepted",
            link=f"/days/{number}",
            **more,
        )
    )


def test_forty_rejected_days_are_a_few_lines_and_a_count():
    message = compose("small", [("opened", rejected(number % 28 + 1)) for number in range(40)], "", open_count=40)
    assert message.title == "small: 40 rejected days"
    lines = message.body.splitlines()
    assert len(lines) == MAX_LINES + 2
    assert lines[-2:] == [f"- and {40 - MAX_LINES} more", "40 open in total"]


def test_failures_come_before_resolutions_and_errors_before_warnings():
    changes = [
        ("resolved", Notification(failure(1, message="the run failed"), resolved_at=BEGIN)),
        ("opened", rejected(3, severity=Severity.WARNING)),
        ("opened", Notification(failure(2, message="another run failed", link="/runs/1"))),
    ]
    message = compose("small", changes, "http://ui", open_count=2)
    assert message.title == "small: 1 failed run, 1 rejected day; resolved: 1 failed run"
    assert message.body.splitlines() == [
        "- another run failed http://ui/runs/1",
        "- day 3 not accepted http://ui/days/3",
        "- resolved: the run failed",
        "2 open in total",
    ]


@pytest.mark.parametrize(
    ("changes", "open_count", "urgency"),
    [
        ([("opened", rejected(1))], 1, "failure"),
        ([("opened", rejected(1, severity=Severity.WARNING))], 1, "warning"),
        ([("resolved", rejected(1))], 3, "info"),
        ([("resolved", rejected(1))], 0, "success"),
    ],
)
def test_the_urgency_follows_the_severity_and_is_success_when_nothing_is_open(changes, open_count, urgency):
    assert compose("small", changes, "", open_count).urgency == urgency


def test_without_an_address_a_message_has_no_links():
    assert "/days" not in compose("small", [("opened", rejected(1))], "", 1).body


def test_a_long_reason_is_shortened_to_one_line():
    assert shorten("a\n  b") == "a b"
    assert len(shorten("x" * 5000)) == MAX_CHARACTERS


def test_the_command_at_the_end_of_a_long_reason_stays_whole():
    command = "Compute them first: `dg launch --assets 'group:churn' --partition-range 2026-10-01...2026-10-09`"
    for text in (f"{'word ' * 80}. {command}", f"{'word ' * 80}. {command}. {'more ' * 80}"):
        short = shorten(text)
        assert len(short) <= MAX_CHARACTERS
        assert short.startswith("word ")
        assert short.endswith(f"... {command}.")
    assert len(shorten(f"Run `{'x' * 5000}`")) == MAX_CHARACTERS
