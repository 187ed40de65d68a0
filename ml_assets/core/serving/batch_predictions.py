"""The rows of a day scored by what is live for each entity: one model, or champion and challenger."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ml_assets.core.model.explanations import explain_scores
from ml_assets.core.model.scorer import Scorer
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION

COLUMNS = ["score", "decision", "model_version", "side", "reasons"]


def predict(
    rows: pd.DataFrame, live: Mapping[str, tuple[int, Scorer]], challengers: np.ndarray, explained: int, count: int
) -> pd.DataFrame:
    """Columns of `COLUMNS` for each row, in the order of the rows: score from 0 to 1, decision at the threshold of the
    model that scored the row, its version, its side, and JSON that says why, for the highest scores of all rows
    together, see `explanations.reasons`; else None.

    Args:
        rows: features of the day, as both models need them.
        live: (version, scorer) of the sides `champion` and `challenger`; the latter may be missing where it has no row.
        challengers: which rows the challenger is live for, bool of shape (rows,).
        explained: how many of the highest scores have reasons; of equal scores the first rows.
        count: most features in the reasons of a row.

    Raises:
        ValueError: when a model cannot score the rows, see `Scorer.score`.
    """
    found = pd.DataFrame(
        {
            "score": np.zeros(len(rows)),
            "decision": np.zeros(len(rows), dtype=bool),
            "model_version": np.zeros(len(rows), dtype=np.int64),
            "side": np.where(challengers, CHALLENGER, CHAMPION).astype(object),
            "reasons": np.full(len(rows), None, dtype=object),
        }
    )
    of_sides = {
        side: np.flatnonzero(mask) for side, mask in ((CHAMPION, ~challengers), (CHALLENGER, challengers)) if mask.any()
    }
    for side, places in of_sides.items():
        version, scorer = live[side]
        scores = scorer.score(rows.iloc[places])
        found.loc[places, "score"] = scores
        found.loc[places, "decision"] = scores >= scorer.threshold
        found.loc[places, "model_version"] = version
    highest = np.zeros(len(rows), dtype=bool)
    highest[np.argsort(-found["score"].to_numpy(), kind="stable")[:explained]] = True
    for side, places in of_sides.items():
        told = explain_scores(
            live[side][1], rows.iloc[places], found["score"].to_numpy()[places], int(highest[places].sum()), count
        )
        found.loc[places, "reasons"] = pd.Series(told, index=places, dtype=object)
    return found[COLUMNS]
