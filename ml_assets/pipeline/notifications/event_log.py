"""The reader of Dagster's event log: ended runs and changes of freshness since a position, in order, each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from ml_assets.resources.dagster_internals.freshness import FreshnessStateChange

# An event gets its number before it becomes visible, so an event with a lower number may still appear.
SECONDS_TO_SETTLE = 3.0
MAX_EVENTS = 200
RUN_ENDED_TYPES = (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_CANCELED)
FRESHNESS = dg.DagsterEventType.FRESHNESS_STATE_CHANGE


@dataclass(frozen=True)
class Events:
    """Events of ended runs, and changes of freshness."""

    ended: Sequence[dg.EventLogEntry]
    freshness: "Sequence[FreshnessStateChange]"


def read_events(
    instance: dg.DagsterInstance, position: Mapping[str, int], now: datetime, look_back: timedelta
) -> tuple[Events, dict[str, int]]:
    """Read the events after a position, at most the oldest `MAX_EVENTS` of each type.

    If one type has more events than that, no later event of another type is read either, so that a success is never
    read before the failure that it repairs. Events of the last SECONDS_TO_SETTLE are left for the next tick.

    Args:
        instance: the Dagster instance.
        position: the last event read of each type, by the name of the type; empty in the first tick.
        now: the time, with a zone.
        look_back: how far back the first tick reads.

    Returns:
        The events, and the position after them.
    """
    until = now.timestamp() - SECONDS_TO_SETTLE
    read: dict[dg.DagsterEventType, Sequence[dg.EventLogRecord]] = {}
    for event_type in (*RUN_ENDED_TYPES, FRESHNESS):
        after = position.get(event_type.value)
        since = (now - look_back).timestamp() if after is None else None
        read[event_type] = _read(instance, event_type, after, since)
        if len(read[event_type]) == MAX_EVENTS:
            until = min(until, read[event_type][-1].timestamp)
    taken = {
        event_type: list(takewhile(lambda record: record.timestamp <= until, records))
        for event_type, records in read.items()
    }
    last = {event_type.value: records[-1].storage_id for event_type, records in taken.items() if records}
    ended = sorted(
        (record.event_log_entry for event_type in RUN_ENDED_TYPES for record in taken[event_type]),
        key=lambda entry: entry.timestamp,
    )
    changes = [
        record.event_log_entry.get_dagster_event().asset_freshness_state_change_data for record in taken[FRESHNESS]
    ]
    return Events(ended, changes), {**position, **last}


def _read(
    instance: dg.DagsterInstance, event_type: dg.DagsterEventType, after: int | None, since: float | None
) -> Sequence[dg.EventLogRecord]:
    """Read the oldest records of a type after an event number or a time, ascending."""
    if event_type is FRESHNESS:
        records_filter = dg.EventRecordsFilter(event_type, after_cursor=after, after_timestamp=since)
        return instance.event_log_storage.get_event_records(records_filter, limit=MAX_EVENTS, ascending=True)
    run_filter = dg.RunStatusChangeRecordsFilter(event_type, after_storage_id=after, after_timestamp=since)
    return instance.fetch_run_status_changes(run_filter, limit=MAX_EVENTS, ascending=True).records
