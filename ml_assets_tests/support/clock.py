"""A stopped clock for modules that read the time themselves."""

from datetime import datetime, tzinfo
from types import ModuleType

import pytest


def stop_clock(monkeypatch: pytest.MonkeyPatch, module: ModuleType, moment: datetime) -> None:
    """Let a module that imports `datetime` by name read one fixed time from `datetime.now`.

    Args:
        monkeypatch: undoes it at the end of the test.
        module: the module whose name `datetime` is replaced.
        moment: the time, with a zone.
    """

    class StoppedClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return moment.astimezone(tz)

    monkeypatch.setattr(module, "datetime", StoppedClock)
