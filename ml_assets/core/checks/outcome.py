"""What a check says of a day: the one form in which all checks speak, to Dagster, to the report, and to what they
stop.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ml_assets.core.model_spec.checks import Checks, Severity


@dataclass(frozen=True)
class CheckOutcome:
    """What one check says of one day.

    passed: None when the day cannot be judged (the reason says why). reason: one sentence for people, with the figures.
    severity: how grave a failure is. lines: what was found in detail, the worst first; few, and JSON-able.
    """

    check: str
    day: date
    passed: bool | None
    reason: str
    severity: Severity = "error"
    lines: Sequence[Mapping[str, object]] = ()

    @property
    def failed(self) -> bool:
        """Whether the check was judged and not passed."""
        return self.passed is False


def with_accepted(checks: Checks, outcomes: Iterable[CheckOutcome]) -> list[CheckOutcome]:
    """The findings, in which failures pass that the specification accepts by name and day; the reason says so."""
    return [
        replace(found, passed=True, reason=f"accepted by checks.accepted: {found.reason}")
        if found.failed and checks.is_accepted(found.check, found.day)
        else found
        for found in outcomes
    ]
