"""Messages go through apprise to real servers; the error of a target is reported without its secrets."""

import logging

import pytest

from ml_assets.core.operations.notifications.message import Message
from ml_assets.resources.notifications.notifier import Notifier
from ml_assets_tests.support.webhook import Webhook

MESSAGE = Message("small: 1 failed run", "- the run of hunter2-and-more failed\n1 open in total", "failure")


@pytest.fixture
def webhook():
    with Webhook() as webhook:
        yield webhook


def test_a_message_arrives_with_title_text_and_urgency_and_without_secrets(webhook):
    notifier = Notifier(webhook.url, ["hunter2-and-more"])
    assert notifier.targets == ["JSON 1"]
    assert notifier.send("JSON 1", MESSAGE) is None
    (sent,) = webhook.received
    assert (sent["title"], sent["type"]) == ("small: 1 failed run", "failure")
    assert sent["message"].splitlines() == ["- the run of *** failed", "1 open in total"]


def test_targets_are_separated_by_whitespace_and_commas_and_named_by_service(webhook):
    slack = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts"
    notifier = Notifier(
        f"  {webhook.url}, {slack}\n{webhook.url},mailto://me:pw@example.com ,pagerduty://key@integration\n"
    )
    assert notifier.targets == ["JSON 1", "Slack 1", "JSON 2", "E-Mail 1", "Pager Duty 1"]
    assert Notifier("json://host/a,b").targets == ["JSON 1"]
    assert Notifier("").targets == []


@pytest.mark.parametrize("status", [404, 500])
def test_the_error_of_a_target_that_refuses_does_not_contain_its_url(webhook, status, caplog):
    webhook.status = status
    with caplog.at_level(logging.DEBUG):
        error = Notifier(webhook.url).send("JSON 1", MESSAGE)
    assert str(status) in (error or "")
    assert "secret-path" not in f"{error} {caplog.text}"


def test_the_error_of_a_target_that_does_not_answer_does_not_contain_its_url(caplog):
    with Webhook() as webhook:
        url = webhook.url
    with caplog.at_level(logging.DEBUG):
        error = Notifier(f"{url}?cto=1&rto=1").send("JSON 1", MESSAGE)
    assert error
    assert "secret-path" not in f"{error} {caplog.text}"


def test_the_error_of_an_unknown_url_contains_its_position_and_not_the_url(webhook):
    with pytest.raises(ValueError, match="URL number 2 of 2") as refused:
        Notifier(f"{webhook.url} slacks://my-secret-token").targets  # noqa: B018
    assert "my-secret-token" not in str(refused.value)
