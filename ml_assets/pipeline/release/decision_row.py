"""The row of deployment for a decision: the outcome, the live versions after it, and the figures behind it."""

import json
from typing import TYPE_CHECKING

from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.release.canary_evidence import figures_of
from ml_assets.core.release.canary_policy import Decision

if TYPE_CHECKING:
    from ml_assets.core.release.canary_comparison import Measured

FIGURES = ("step_days", "step_rows", "positives", "labels_through")


def decision_row(decision: Decision, measured: "Measured | None", canary: Canary | None) -> dict[str, object]:
    """Build the row of a day, see DEPLOYMENT_SCHEMA.

    Args:
        decision: the decision of the day.
        measured: the comparison of champion and challenger; None without a canary, and the figures are then left out.
        canary: the settings of the specification.
    """
    after = decision.after
    figures = {name: getattr(measured.evidence, name) for name in FIGURES} if measured else {}
    metrics = decision.metrics or (figures_of(canary, measured.evidence) if canary and measured else {})
    return {
        "outcome": decision.outcome,
        "reason": decision.reason,
        "champion_version": after.champion.number if after.champion else None,
        "challenger_version": after.challenger.number if after.challenger else None,
        **{name: getattr(after, name) for name in ("percent", "paused", "step_since", "canary_since")},
        "release": after.number,
        **figures,
        "metrics": json.dumps(dict(metrics), sort_keys=True) if measured else None,
    }
