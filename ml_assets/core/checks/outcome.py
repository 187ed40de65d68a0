"""The outcome of a check for one day: one type for Dagster, for reports and for the gate that blocks later stages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from ml_assets.core.model_spec.checks.check import Severity
from ml_assets.core.model_spec.checks.checks import Checks


@dataclass(frozen=True)
class CheckOutcome:
    """The outcome of one check for one day.

    passed: None if the day cannot be evaluated; the reason says why. reason: one sentence for people, with the figures.
    severity: severity of a failure. lines: details, the worst first; few, and serializable as JSON. figures: values by
    name for the metadata of the check, serializable as JSON. remark: additional explanation that is valid only in the
    current run; stored outcomes have none.
    """

    check: str
    day: date
    passed: bool | None
    reason: str
    severity: Severity = "error"
    lines: Sequence[Mapping[str, object]] = ()
    figures: Mapping[str, object] = field(default_factory=dict)
    remark: str = ""

    @property
    def explanation(self) -> str:
        """The reason, followed by the remark."""
        return f"{self.reason}{self.remark}"

    @property
    def failed(self) -> bool:
        """True if the check was evaluated and did not pass."""
        return self.passed is False


def apply_accepted_failures(checks: Checks, outcomes: Iterable[CheckOutcome]) -> list[CheckOutcome]:
    """Turn failures that the specification accepts for the check and day into passes whose reason says so."""
    return [
        replace(outcome, passed=True, reason=f"accepted by checks.accepted: {outcome.reason}")
        if outcome.failed and checks.is_accepted(outcome.check, outcome.day)
        else outcome
        for outcome in outcomes
    ]
