"""Batch predictions: the rows of a day, scored by the model that is live for each entity."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ml_assets.core.model.explanations import explain_scores
from ml_assets.core.model.scorer import Scorer
from ml_assets.core.model_spec.types.task import SHADOW
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION


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
        rows: the day's rows, with all features that either model needs.
        live: (version, scorer) by `champion` and `challenger`; the challenger may be missing if it is not live for any
            row.
        challengers: whether the challenger is live for each row, bool of shape (rows,).
        explained: number of the highest scores that get reasons; of equal scores, the first rows.
        count: maximum number of features in the reasons of a row.
        is_shadow: whether the challenger scores all rows without effect.

    Returns:
        For each row, in the same order: the columns of `Scorer.predict` of the model that is live for it;
            `model_version`; `side` (champion or challenger); the reasons as JSON (see `explain_scores`) for the highest
            scores, predictions or probabilities of the day, otherwise None; and the main prediction of a challenger in
            shadow, with the prefix `shadow_`, missing without one.

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
    no_rows = next(iter(live.values()))[1].predict(rows.iloc[:0])
    columns = {name: np.zeros(len(rows), dtype=values.dtype) for name, values in no_rows.items()}
    versions, ranks = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows))
    for alias, positions in positions_by_alias.items():
        version, scorer = live[alias]
        predicted = scorer.predict(parts[alias])
        for name, values in predicted.items():
            columns[name][positions] = values
        ranks[positions] = scorer.ranks(predicted)
        versions[positions] = version
    is_explained = np.zeros(len(rows), dtype=bool)
    is_explained[np.argsort(-ranks, kind="stable")[:explained]] = True
    reasons = np.full(len(rows), None, dtype=object)
    for alias, positions in positions_by_alias.items():
        number = int(is_explained[positions].sum())
        reasons[positions] = explain_scores(live[alias][1], parts[alias], ranks[positions], number, count)
    sides = np.where(challengers, CHALLENGER, CHAMPION).astype(object)
    main = next(iter(columns))
    missing = None if columns[main].dtype == object else np.nan
    shadow = live[CHALLENGER][1].predict(rows)[main] if is_shadow else np.full(len(rows), missing)
    scored_by = {"model_version": versions, "side": sides, "reasons": reasons}
    return pd.DataFrame({**columns, **scored_by, f"{SHADOW}{main}": shadow})
