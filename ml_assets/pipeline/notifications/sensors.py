"""The sensors that record notifications of new failures and recoveries, and send those that are due."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from ml_assets.core.counts import count
from ml_assets.core.operations.notifications.events import Kind, NotificationEvent
from ml_assets.core.operations.notifications.message import compose, shorten
from ml_assets.core.operations.notifications.release_events import events_of_releases
from ml_assets.pipeline.asset_names import DEPLOYMENT, model_and_asset
from ml_assets.pipeline.code_location.broken_model import SPECIFICATION, problems_of
from ml_assets.pipeline.notifications.event_log import read_events
from ml_assets.pipeline.notifications.run_events import events_of_freshness, events_of_run
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.notifications.notifier import Notifier
from ml_assets.resources.notifications.outbox import Outbox
from ml_assets.resources.release.ledger import Ledger

SECONDS_BETWEEN_TICKS = 30
# Dagster gives a tick 60 seconds, and a target that does not answer costs 15.
SECONDS_TO_SEND = 25.0
# How far back the first tick reads: failures of the last day are notified, older ones are history.
LOOK_BACK = timedelta(days=1)
# Key of the cursor with the models that were broken at the last tick.
BROKEN = "broken_models"

OpenOutbox = Callable[[], Outbox]
OpenNotifier = Callable[[], Notifier]


def notifications_sensor(open_outbox: OpenOutbox, open_notifier: OpenNotifier, ui: str) -> dg.SensorDefinition:
    """Build the sensor that records a notification for each failure in the event log, resolves those that are repaired,
    and sends messages.

    A tick that cannot reach the database fails, and the next one begins at the same position.

    Args:
        open_outbox: opens the database; called in each tick.
        open_notifier: reads the targets and secrets; called in each tick, so that neither is kept in a definition.
        ui: address of Dagster's webserver; empty if it is not known.
    """

    @dg.sensor(
        name="notifications",
        minimum_interval_seconds=SECONDS_BETWEEN_TICKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends notifications of failed runs, failed gates, rejected days, late days, rollbacks and broken "
        "specifications of all models, and of their recovery.",
    )
    def notifications(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        now, outbox, notifier = datetime.now(UTC), open_outbox(), open_notifier()
        cursor = read_cursor(context)
        broken_before = cursor.pop(BROKEN, [])
        log, position = read_events(context.instance, cursor, now, LOOK_BACK)
        repository = _repository(context)
        broken = problems_of(repository)
        events = list(events_of_broken_models(broken_before, broken, now))
        events += [event for ended in log.ended for event in events_of_run(context.instance, ended, repository)]
        events += [event for change in log.freshness for event in events_of_freshness(change)]
        opened, resolved = outbox.record(events, notifier.targets, now)
        sent = deliver(outbox, notifier, ui)
        context.update_cursor(json.dumps({**position, BROKEN: sorted(broken)}))
        for problem in sent.problems:
            context.log.warning(problem)
        summary = (
            f"{count(len(log.ended), 'run')} ended: {count(opened, 'notification')} opened, {resolved} resolved, "
            f"{count(sent.messages, 'message')} sent"
        )
        return dg.SkipReason(". ".join([summary, *sent.problems]))

    return notifications


def events_of_broken_models(
    before: Collection[str], now_broken: Mapping[str, str], at: datetime
) -> Iterator[NotificationEvent]:
    """Yield a failure for each model that is broken, and a success for each model that no longer is.

    Args:
        before: names of the models that were broken at the last tick.
        now_broken: file, line and reason by the name of the model.
        at: the time of this tick.
    """
    for model in sorted({*before, *now_broken}):
        problem = now_broken.get(model)
        yield NotificationEvent(
            Kind.BROKEN_MODEL,
            model,
            "",
            SPECIFICATION,
            failed=problem is not None,
            at=at,
            message=shorten(f"{model} is not loaded: {problem}") if problem is not None else "",
            link=f"/assets/{model}/{SPECIFICATION}",
        )


def releases_sensor(open_outbox: OpenOutbox, open_notifier: OpenNotifier) -> dg.SensorDefinition:
    """Build the sensor that records a notification for each rollback.

    It is separate from the other sensor, so that an unreachable lake does not stop other notifications.
    """

    @dg.sensor(
        name="rollback_notifications",
        minimum_interval_seconds=SECONDS_BETWEEN_TICKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Records rollbacks of all models from release ledgers; the sensor `notifications` sends them.",
    )
    def rollback_notifications(context: dg.SensorEvaluationContext, lake: Lake) -> dg.SkipReason:
        now, outbox, notifier = datetime.now(UTC), open_outbox(), open_notifier()
        last_release: dict[str, int] = read_cursor(context)
        events = []
        for model in _models(_repository(context)):
            ledger = Ledger(lake, model)
            if (number := ledger.number()) == last_release.get(model, 0):
                continue
            new_rows = (
                [row for row in ledger.rows() if row["release"] > last_release[model]]
                if model in last_release
                else _recent(ledger, now)
            )
            events += events_of_releases(model, new_rows)
            last_release[model] = max([number, *(row["release"] for row in new_rows)])
        opened, resolved = outbox.record(events, notifier.targets, now)
        context.update_cursor(json.dumps(last_release))
        return dg.SkipReason(f"{opened} rollbacks recorded, {resolved} resolved by a promotion")

    return rollback_notifications


def read_cursor(context: dg.SensorEvaluationContext) -> dict[str, Any]:
    """Read the cursor of the last tick; empty if there is none, or somebody edited it."""
    try:
        cursor = json.loads(context.cursor or "{}")
    except ValueError:
        cursor = None
    if isinstance(cursor, dict):
        return cursor
    context.log.warning(f"The sensor begins without a cursor: not a cursor of this sensor: {context.cursor}")
    return {}


def _recent(ledger: Ledger, now: datetime) -> list[dict]:
    return [row for row in ledger.rows() if row["at"] >= now - LOOK_BACK]


class DeliveryResult:
    """The number of messages sent, and the problem of each target that did not accept one."""

    def __init__(self) -> None:
        self.messages = 0
        self.problems: list[str] = []


def deliver(outbox: Outbox, notifier: Notifier, ui: str, clock: Callable[[], float] = time.monotonic) -> DeliveryResult:
    """Send the messages that are due, one for each target and model; after SECONDS_TO_SEND the rest waits for the next
    tick.

    A target that does not accept a message gets no further messages in this tick; other targets still get theirs.

    Args:
        outbox: the notifications to send.
        notifier: the targets.
        ui: address of Dagster's webserver.
        clock: monotonic clock in seconds, for the limit.
    """
    result, begun, failed_targets = DeliveryResult(), clock(), set()
    targets = notifier.targets
    for target, model in outbox.waiting(targets, datetime.now(UTC)) if targets else []:
        if target in failed_targets or clock() - begun > SECONDS_TO_SEND:
            continue
        due = outbox.claim(target, model, datetime.now(UTC))
        if not due:
            continue
        message = compose(model, [(delivery.news, delivery.notification) for delivery in due], ui, outbox.open_count())
        error = notifier.send(target, message)
        outbox.settle(due, error, datetime.now(UTC))
        if error is None:
            result.messages += 1
        else:
            failed_targets.add(target)
            result.problems.append(f"{target} did not accept the message on {model}; it is sent again later: {error}")
    return result


def _repository(context: dg.SensorEvaluationContext) -> dg.RepositoryDefinition:
    assert context.repository_def is not None, "a sensor is evaluated within its code location"
    return context.repository_def


def _models(repository: dg.RepositoryDefinition) -> list[str]:
    names = [model_and_asset(key) for key in repository.asset_graph.get_all_asset_keys()]
    return sorted({model for model, asset in filter(None, names) if asset == DEPLOYMENT})
