"""Why rows have the scores that they have: the features that add most to each of the highest scores."""

import json

import numpy as np
import pandas as pd

from ml_assets.core.model.scorer import Scorer

# XGBoost reckons contributions in float32, which has some seven digits.
DIGITS = 6


def reasons(scorer: Scorer, frame: pd.DataFrame, scores: np.ndarray, rows: int, count: int) -> list[str | None]:
    """The reasons of the highest scores, one for each row of the frame, in its order.

    A reason is JSON: a list of at most `count` features, those that add most to the log odds of the row, the first adds
    most; features that add nothing, or take away, are left out. Each has `feature`, its `value` in the row (number,
    text, or null where it is missing or infinite) and its `contribution`, the SHAP value by `Scorer.contributions`
    rounded to DIGITS decimals. The reasons of a row depend on that row alone.

    Args:
        scorer: the model.
        frame: the features of the rows.
        scores: the score of each row of the frame, by the same model, shape (rows of the frame,).
        rows: how many rows get reasons: those with the highest scores, of equal ones the first; the others get None.
        count: most features in a reason.

    Raises:
        ValueError: when frame and scores have not the same length, `rows` or `count` is negative, or as in `to_matrix`.
    """
    if len(frame) != len(scores):
        raise ValueError(f"there are {len(frame)} rows and {len(scores)} scores; there must be a score for each row")
    if rows < 0 or count < 0:
        raise ValueError(f"rows ({rows}) and count ({count}) must not be negative")
    highest = np.sort(np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")[:rows])
    explained = frame.iloc[highest]
    added = scorer.contributions(explained)[:, :-1]
    found: list[str | None] = [None] * len(frame)
    for place, row, contributions in zip(
        highest, explained[scorer.features].itertuples(index=False, name=None), added, strict=True
    ):
        told = [
            {
                "feature": scorer.features[which],
                "value": _plain(row[which]),
                "contribution": round(float(contributions[which]), DIGITS),
            }
            for which in raising(contributions, count)
        ]
        found[place] = json.dumps(told, ensure_ascii=False, allow_nan=False)
    return found


def raising(contributions: np.ndarray, count: int) -> list[int]:
    """The positions of the features that add most to a score, the first adds most: at most `count`, and none that adds
    nothing or takes away.
    """
    return [int(which) for which in np.argsort(-contributions, kind="stable")[:count] if contributions[which] > 0]


def _plain(value: object) -> object:
    """A value of a frame as JSON has it."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return None if pd.isna(value) else str(value)  # type: ignore[arg-type]
