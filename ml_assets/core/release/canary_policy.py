"""The canary policy, which decides when a canary starts, advances, is promoted or is rolled back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from ml_assets.core.counts import count
from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.release.canary_evidence import (
    Evidence,
    explain_failure,
    explain_missing_evidence,
    figures_of,
    in_words,
)
from ml_assets.core.release.release_state import (
    Release,
    Version,
    advance,
    describe_share,
    promote,
    roll_back,
    start,
)

Outcome = Literal["start", "advance", "promote", "rollback", "replace", "hold", "none"]


@dataclass(frozen=True)
class Decision:
    """The decision of a day: its outcome, its reason in one sentence, the release state after it, and its metrics."""

    outcome: Outcome
    reason: str
    after: Release
    metrics: Mapping[str, float] = field(default_factory=dict)


def next_candidate(state: Release, passed: Iterable[Version]) -> Version | None:
    """Return the version to go live next, or None: the newest one that was never withdrawn, is of a later day than
    champion and challenger, and differs from both.

    Args:
        state: the release state.
        passed: versions that passed their gates.
    """
    live = [version for version in (state.champion, state.challenger) if version is not None]
    # Models of different days with the same bytes are one version.
    newer = [
        candidate
        for candidate in passed
        if all(candidate.day > version.day and candidate.digest != version.digest for version in live)
        and candidate.digest not in state.withdrawn
    ]
    return max(newer, key=lambda version: (version.day, version.number), default=None)


def decide(
    canary: Canary | None, state: Release, candidate: Version | None, evidence: Evidence | None, day: date
) -> Decision:
    """Decide what happens on a day, from the release state, the next candidate and the evidence of the canary.

    After the decision has been carried out, deciding again on the same day with the same evidence gives `hold` or
    `none`.

    Args:
        canary: the rules; None: models go live at once.
        state: the release state before the decision.
        candidate: see `next_candidate`.
        evidence: the evidence of the canary; None when there is no canary.
        day: the day of the decision, and the first day of predictions that it affects.
    """
    if state.paused:
        return Decision(
            "hold" if state.challenger else "none", "automatic decisions are paused; resume them to go on", state
        )
    if state.challenger is not None and canary is not None:
        assert evidence is not None
        return _evaluate(canary, state, candidate, evidence, day)
    if state.challenger is not None:
        reason = f"{state.challenger} is withdrawn: the specification no longer has deployment.canary"
        return Decision("rollback", reason, roll_back(state))
    if candidate is None:
        return Decision(
            "none",
            "no newer model has passed its gates" if state.champion else "no model has passed its gates yet",
            state,
        )
    if state.champion is None:
        return Decision("promote", f"{candidate} passed its gates and there was no champion", promote(state, candidate))
    if canary is None or canary.steps[0] == 100:
        return Decision(
            "promote",
            f"{candidate} passed its gates; {'the canary begins with 100 percent' if canary else 'there is no canary'}",
            promote(state, candidate),
        )
    live = describe_share(canary.steps[0]) if not canary.steps[0] else f"live {describe_share(canary.steps[0])}"
    reason = f"{candidate} passed its gates: {live} alongside {state.champion}"
    return Decision("start", reason, start(state, candidate, canary.steps[0], day))


def _evaluate(canary: Canary, state: Release, candidate: Version | None, evidence: Evidence, day: date) -> Decision:
    challenger, figures = state.challenger, figures_of(canary, evidence)
    assert challenger is not None
    assert state.step_since is not None
    if failure := explain_failure(canary, evidence):
        return Decision(
            "rollback", f"{challenger} is rolled back {_at(state.percent)}: {failure}", roll_back(state), figures
        )
    if candidate is not None and canary.newer_challenger == "replaces":
        reason = f"{candidate} replaces {challenger}, which was {_at(state.percent)}, and starts {_at(canary.steps[0])}"
        return Decision("replace", reason, start(state, candidate, canary.steps[0], day), figures)
    waits = explain_missing_evidence(canary, evidence, state.step_since)
    if waits is None:
        return _advance(canary, state, evidence, day)
    if day - state.step_since >= canary.maximum_days:
        reason = (
            f"{challenger} is rolled back: not decided within {count(canary.maximum_days.days, 'day')} "
            f"{_at(state.percent)}; {waits}"
        )
        return Decision("rollback", reason, roll_back(state), figures)
    return Decision("hold", f"{challenger} stays {_at(state.percent)}: {waits}", state, figures)


def _advance(canary: Canary, state: Release, evidence: Evidence, day: date) -> Decision:
    challenger, comparison = state.challenger, in_words(canary.metric, evidence.metrics[canary.metric])
    assert challenger is not None
    # The steps of the specification may have changed since the canary began.
    percent = next((step for step in canary.steps if step > state.percent), 100)
    if percent == 100:
        reason = f"{challenger} becomes the champion after {_share(state.percent)}: {comparison}"
        return Decision("promote", reason, promote(state, challenger), figures_of(canary, evidence))
    reason = f"{challenger} goes from {_share(state.percent)} to {_share(percent)}: {comparison}"
    return Decision("advance", reason, advance(state, percent, day), figures_of(canary, evidence))


def _at(percent: int) -> str:
    return f"at {percent} percent" if percent else "in shadow"


def _share(percent: int) -> str:
    return f"{percent} percent" if percent else "its shadow"
