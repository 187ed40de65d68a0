"""The state of a day in the lake: whether it is committed, and whether it is current."""

from datetime import date

from ml_assets.core.tables.fingerprint import fingerprint
from ml_assets.pipeline.engine.stage import DecidedAlready, InputExpired, KeepDay, Stage, has_artifacts


def expected_fingerprint(stage: Stage, day: date) -> int:
    """Return the fingerprint that the day has when it is up to date."""
    return fingerprint(stage.code, stage.spec_part, stage.inputs(day))


def is_current(stage: Stage, day: date) -> bool:
    """Return whether the day in the lake is up to date, or must not be changed."""
    try:
        return holds_day(stage, day, expected_fingerprint(stage, day))
    except (KeepDay, DecidedAlready):
        return True
    except InputExpired:
        return is_committed(stage, day)


def holds_day(stage: Stage, day: date, expected: int) -> bool:
    """Return whether the main table holds the day under the expected fingerprint, with all artifacts in place."""
    return stage.tables[stage.name].holds(day, expected) and has_artifacts(stage, day)


def is_committed(stage: Stage, day: date) -> bool:
    """Return whether the day was committed, from any inputs, and retention has not removed it."""
    return stage.tables[stage.name].is_committed(day)
