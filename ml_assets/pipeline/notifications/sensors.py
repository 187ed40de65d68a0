"""The sensors that tell people: what failed since the last look becomes notifications, and what is due is sent."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg

from ml_assets.core.operations.notifications.message import compose
from ml_assets.core.operations.notifications.release_events import events_of_releases
from ml_assets.pipeline.asset_names import DEPLOYMENT
from ml_assets.pipeline.notifications.event_log import read_events
from ml_assets.pipeline.notifications.run_events import events_of_freshness, events_of_run
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.notifications.notifier import Notifier
from ml_assets.resources.notifications.outbox import Outbox
from ml_assets.resources.release.ledger import Ledger

SECONDS_BETWEEN_LOOKS = 30
# Dagster gives a tick 60 seconds, and the slowest target takes 15 to not answer.
SECONDS_TO_SEND = 25.0
# Before the first look: what failed while nobody looked is told, what is older is history.
LOOK_BACK = timedelta(days=1)

OpenOutbox = Callable[[], Outbox]
OpenNotifier = Callable[[], Notifier]


def notifications_sensor(open_outbox: OpenOutbox, open_notifier: OpenNotifier, ui: str) -> dg.SensorDefinition:
    """Writes a notification for each failure that the event log tells of, resolves what is repaired, and sends what is
    due.

    A look that cannot reach the database fails, and the next one begins where it did.

    Args:
        open_outbox: opens the database; called at each look.
        open_notifier: reads the targets and secrets; called at each look, so that neither is kept in a definition.
        ui: address of Dagster's webserver; empty where none is known.
    """

    @dg.sensor(
        name="notifications",
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells of failed runs, failed gates, rejected days, late days and rollbacks of all models, and of what is repaired.",
    )
    def notifications(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        now, outbox, notifier = datetime.now(UTC), open_outbox(), open_notifier()
        position: Mapping[str, int] = json.loads(context.cursor) if context.cursor else {}
        log, position = read_events(context.instance, position, now, LOOK_BACK)
        repository = _repository(context)
        events = [event for end in log.ended for event in events_of_run(context.instance, end, repository)]
        events += [event for change in log.freshness for event in events_of_freshness(change)]
        opened, resolved = outbox.record(events, notifier.targets, now)
        sent = deliver(outbox, notifier, ui)
        context.update_cursor(json.dumps(position))
        for problem in sent.problems:
            context.log.warning(problem)
        said = f"{len(log.ended)} runs ended: {opened} notifications opened, {resolved} resolved, {sent.messages} messages sent"
        return dg.SkipReason(". ".join([said, *sent.problems]))

    return notifications


def releases_sensor(open_outbox: OpenOutbox, open_notifier: OpenNotifier) -> dg.SensorDefinition:
    """Writes a notification for each rollback. A sensor of its own, so that a lake that does not answer stops no other
    message.
    """

    @dg.sensor(
        name="rollback_notifications",
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Notes rollbacks of all models from their release ledgers; the sensor `notifications` sends them.",
    )
    def rollback_notifications(context: dg.SensorEvaluationContext, lake: Lake) -> dg.SkipReason:
        now, outbox, notifier = datetime.now(UTC), open_outbox(), open_notifier()
        seen: dict[str, int] = json.loads(context.cursor) if context.cursor else {}
        events = []
        for model in _models(_repository(context)):
            ledger = Ledger(lake, model)
            if (number := ledger.number()) == seen.get(model, 0):
                continue
            fresh = (
                [row for row in ledger.rows() if row["release"] > seen[model]]
                if model in seen
                else _recent(ledger, now)
            )
            events += events_of_releases(model, fresh)
            seen[model] = max([number, *(row["release"] for row in fresh)])
        opened, resolved = outbox.record(events, notifier.targets, now)
        context.update_cursor(json.dumps(seen))
        return dg.SkipReason(f"{opened} rollbacks noted, {resolved} ended by a promotion")

    return rollback_notifications


def _recent(ledger: Ledger, now: datetime) -> list[dict]:
    return [row for row in ledger.rows() if row["at"] >= now - LOOK_BACK]


class Sent:
    """What came of sending: how many messages went out, and for each target that did not take one, why."""

    def __init__(self) -> None:
        self.messages = 0
        self.problems: list[str] = []


def deliver(outbox: Outbox, notifier: Notifier, ui: str, clock: Callable[[], float] = time.monotonic) -> Sent:
    """Send what is due, one message for each target and model; after SECONDS_TO_SEND the rest is left to the next look.

    A target that did not take a message is not asked again in this look, and the others get theirs.

    Args:
        outbox: what is to be sent.
        notifier: to whom.
        ui: address of Dagster's webserver.
        clock: seconds that pass, for the limit.
    """
    sent, begun, silent = Sent(), clock(), set()
    targets = notifier.targets
    for target, model in outbox.waiting(targets, datetime.now(UTC)) if targets else []:
        if target in silent or clock() - begun > SECONDS_TO_SEND:
            continue
        due = outbox.claim(target, model, datetime.now(UTC))
        if not due:
            continue
        message = compose(model, [(one.news, one.notification) for one in due], ui, outbox.open_count())
        error = notifier.send(target, message)
        outbox.settle(due, error, datetime.now(UTC))
        if error is None:
            sent.messages += 1
        else:
            silent.add(target)
            sent.problems.append(f"{target} did not take the message on {model}, which is kept and sent again: {error}")
    return sent


def _repository(context: dg.SensorEvaluationContext) -> dg.RepositoryDefinition:
    assert context.repository_def is not None, "a sensor is evaluated with its code location"
    return context.repository_def


def _models(repository: dg.RepositoryDefinition) -> list[str]:
    return sorted({key.path[0] for key in repository.asset_graph.get_all_asset_keys() if key.path[-1] == DEPLOYMENT})
