"""Notifications as a person lists them, and the test of their targets."""

import re
from datetime import UTC, datetime

import pytest

from ml_assets.cli.commands import notifications as command
from ml_assets.defs.environment import outbox
from ml_assets.defs.settings import Settings
from ml_assets_tests.cli.command_line import call, read_json
from ml_assets_tests.core.operations.notifications.test_events import failure, success
from ml_assets_tests.support.webhook import Webhook

NOW = datetime(2025, 3, 2, tzinfo=UTC)


@pytest.fixture
def printed(tmp_path, monkeypatch, capsys):
    """What the command prints; for one that fails, why."""
    monkeypatch.setenv("COLUMNS", "200")
    settings = Settings("local", "", "", "", str(tmp_path), "", {})
    monkeypatch.setattr(command, "require_settings", lambda: settings)

    def run(*arguments: str) -> str:
        try:
            call("notifications", *arguments)
        except SystemExit as ended:
            return f"{capsys.readouterr().out}ended: {ended}"
        return capsys.readouterr().out

    return run


def test_open_notifications_come_first_and_undelivered_messages_are_listed(printed, capsys):
    assert "The Dagster daemon records them; `ml-assets doctor` says whether it runs" in " ".join(printed().split())
    kept = outbox(command.require_settings())
    repaired = [failure(5, detail="other", message="the other run failed"), success(6, detail="other")]
    kept.record([failure(1, message="a run [x] failed"), *repaired], ["Slack 1"], NOW)
    kept.settle(kept.claim("Slack 1", "small", NOW), "no such channel", NOW)
    report = read_json(capsys, "notifications")
    assert report["open"] == 1
    assert [(entry["is_open"], entry["message"]) for entry in report["notifications"]] == [
        (True, "a run [x] failed"),
        (False, "the other run failed"),
    ]
    assert [(entry["target"], entry["count"], entry["attempts"]) for entry in report["undelivered"]] == [
        ("Slack 1", 3, 1)
    ]
    lines = printed().splitlines()
    assert lines[0].strip() == "1 open notifications"
    shown = [line for line in lines if "run_failure" in line]
    assert re.search(r"open error .* 2025-03-01 00:01 .* small .* a run \[x\] failed", shown[0])
    assert re.search(r"resolved 2025-03-01 00:06 .* the other run failed", shown[1])
    assert lines[-1] == "Not delivered: 3 to Slack 1, tried 1 times, next at 2025-03-02 00:00: no such channel"


def test_a_test_message_reaches_every_target_or_names_those_that_it_does_not(printed, monkeypatch, capsys):
    assert "no targets: set ML_ASSETS_NOTIFY" in printed("test")
    with Webhook() as good, Webhook() as bad:
        monkeypatch.setenv("ML_ASSETS_NOTIFY", good.url)
        assert printed("test") == "JSON 1: accepted\n"
        assert read_json(capsys, "notifications", "test") == {"targets": {"JSON 1": None}}
        assert good.titles == ["ml_assets: a test"] * 2
        bad.status = 500
        monkeypatch.setenv("ML_ASSETS_NOTIFY", f"{good.url} {bad.url}")
        shown = printed("test")
    assert "JSON 1: accepted" in shown
    assert "JSON 2: not reached" in shown
    assert shown.endswith("ended: 1")
    assert "secret-path" not in shown


def test_a_database_that_cannot_be_used_and_an_unknown_url_are_reported(printed, monkeypatch, tmp_path):
    settings = Settings("local", "", "", "", str(tmp_path / "missing"), "", {})
    monkeypatch.setattr(command, "require_settings", lambda: settings)
    assert "cannot be used (unable to open database file)" in printed()
    monkeypatch.setenv("ML_ASSETS_NOTIFY", "slacks://my-secret-token")
    assert printed("test") == "ended: ML_ASSETS_NOTIFY: apprise does not recognize URL number 1 of 1"
