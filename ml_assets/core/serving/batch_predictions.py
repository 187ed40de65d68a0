"""Batch predictions: the rows of a day, scored by the model that is live for each entity."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ml_assets.core.model.explanations import explain_scores
from ml_assets.core.model.scorer import Scorer
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION

COLUMNS = ["score", "decision", "model_version", "side", "reasons", "shadow_score"]


def predict(
    rows: pd.DataFrame,
    live: Mapping[str, tuple[int, Scorer]],
    challengers: np.ndarray,
    explained: int,
    count: int,
    is_shadow: bool = False,
) -> pd.DataFrame:
    """Score the rows of a day.

    Args:
        rows: features of the day, as both models need them.
        live: (version, scorer) of `champion` and `challenger`; the challenger may be missing if it is live for no row.
        challengers: whether the challenger is live for each row, bool of shape (rows,).
        explained: number of the highest scores that get reasons; among equal scores, those of the first rows.
        count: maximum number of features in the reasons of a row.
        is_shadow: whether the challenger scores all rows without effect.

    Returns:
        The columns `COLUMNS` for each row, in the order of the rows: score from 0 to 1, decision at the threshold of
        the model that scored the row, its version, `side` (champion or challenger), the reasons as JSON (see
        `explanations.reasons`) for the highest scores of all rows together, otherwise None, and the score of the
        challenger in shadow, NaN without one.

    Raises:
        ValueError: when a model cannot score the rows, see `Scorer.score`.
    """
    positions_by_alias = {
        alias: np.flatnonzero(mask)
        for alias, mask in ((CHAMPION, ~challengers), (CHALLENGER, challengers))
        if mask.any()
    }
    parts = {
        alias: rows if len(positions) == len(rows) else rows.iloc[positions]
        for alias, positions in positions_by_alias.items()
    }
    scores, decisions = np.zeros(len(rows)), np.zeros(len(rows), dtype=bool)
    versions = np.zeros(len(rows), dtype=np.int64)
    for alias, positions in positions_by_alias.items():
        version, scorer = live[alias]
        scores[positions] = scorer.score(parts[alias])
        decisions[positions] = scores[positions] >= scorer.threshold
        versions[positions] = version
    is_explained = np.zeros(len(rows), dtype=bool)
    is_explained[np.argsort(-scores, kind="stable")[:explained]] = True
    reasons = np.full(len(rows), None, dtype=object)
    for alias, positions in positions_by_alias.items():
        number = int(is_explained[positions].sum())
        reasons[positions] = explain_scores(live[alias][1], parts[alias], scores[positions], number, count)
    sides = np.where(challengers, CHALLENGER, CHAMPION).astype(object)
    shadow = pd.Series(np.nan, index=range(len(rows)))
    if is_shadow:
        shadow = predict(rows, live, np.ones(len(rows), dtype=bool), 0, count)["score"]
    return pd.DataFrame(dict(zip(COLUMNS, (scores, decisions, versions, sides, reasons, shadow), strict=True)))
