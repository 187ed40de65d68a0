"""Explanations of scores: the features that add most to each of the highest scores, or change a prediction most."""

import json

import numpy as np
import pandas as pd

from ml_assets.core.model.scorer import Scorer

# XGBoost computes contributions in float32, which has about seven digits.
DIGITS = 6


def explain_scores(scorer: Scorer, frame: pd.DataFrame, scores: np.ndarray, rows: int, count: int) -> list[str | None]:
    """Explain the highest scores; return one entry for each row of the frame, in its order.

    An explanation is JSON: a list of at most `count` features, those that add most to the log odds of the row, or of
    its predicted class, largest first; features that add nothing or reduce the log odds are left out. For a regression
    they are those that change the prediction most, in either direction. Each has `feature`, its `value` in the row
    (number, text, or null if missing or infinite) and its `contribution`, the SHAP value of `Scorer.contributions`
    rounded to DIGITS decimals. The explanation of a row depends only on that row.

    Args:
        scorer: the model.
        frame: the features of the rows.
        scores: the score of each row of the frame by the same model, or another ranking value (`Scorer.ranks`), shape
            (rows of the frame,).
        rows: number of explained rows: those with the highest scores, the first of equal ones; others get None.
        count: maximum number of features in an explanation.

    Raises:
        ValueError: frame and scores differ in length, `rows` or `count` is negative, or an error of `to_matrix`.
    """
    if len(frame) != len(scores):
        raise ValueError(f"there are {len(frame)} rows and {len(scores)} scores; there must be a score for each row")
    if rows < 0 or count < 0:
        raise ValueError(f"rows ({rows}) and count ({count}) must not be negative")
    highest = np.sort(np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")[:rows])
    explained = frame.iloc[highest]
    contributions = scorer.contributions(explained)[:, :-1]
    explanations: list[str | None] = [None] * len(frame)
    for position, values, row_contributions in zip(
        highest, explained[scorer.features].itertuples(index=False, name=None), contributions, strict=True
    ):
        entries = [
            {
                "feature": scorer.features[index],
                "value": _to_json_value(values[index]),
                "contribution": round(float(row_contributions[index]), DIGITS),
            }
            for index in rank_contributions(scorer, row_contributions, count)
        ]
        explanations[position] = json.dumps(entries, ensure_ascii=False, allow_nan=False)
    return explanations


def rank_contributions(scorer: Scorer, contributions: np.ndarray, count: int) -> list[int]:
    """Return the positions of the at most `count` features with the largest positive contributions, largest first; for
    a regression, with the largest contributions in either direction.
    """
    if scorer.task == "regression":
        contributions = np.abs(contributions)
    return [int(index) for index in np.argsort(-contributions, kind="stable")[:count] if contributions[index] > 0]


def _to_json_value(value: object) -> object:
    """Convert a value of a frame to its JSON type."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return None if pd.isna(value) else str(value)  # type: ignore[arg-type]
