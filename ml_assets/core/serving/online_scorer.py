"""Predictions for single rows of features, equal to those of `Scorer.predict` but computed without a frame."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ml_assets.core.model.explanations import DIGITS, rank_contributions
from ml_assets.core.model.scorer import Scorer, width
from ml_assets.core.model_spec import ModelSpec

LARGEST = float(np.finfo(np.float32).max)
Features = Mapping[str, float | str | None]


class OnlineScorer:
    """A model that scores single rows on one thread.

    Raises:
        ValueError: when the model needs a feature that the specification does not define, or predicts another task,
            classes or quantiles.
    """

    def __init__(self, scorer: Scorer, spec: ModelSpec) -> None:
        if other := spec.outputs.explain_difference(scorer.preprocessing):
            raise ValueError(f"{other}. Serve a model that was trained with this specification")
        known = set(spec.feature_names())
        if lacking := [name for name in scorer.features if name not in known]:
            raise ValueError(
                f"the model needs features that the specification does not define: {', '.join(lacking)}. Serve a model "
                "that was trained with this specification"
            )
        scorer.use_threads(1)
        self.scorer = scorer
        features = scorer.preprocessing["features"]
        self._cells = [(feature["name"], _encoding(feature)) for feature in features]
        self._is_wide = any(width(feature) != 1 for feature in features)
        self._shift = np.array([feature.get("shift", 0.0) for feature in features for _ in range(width(feature))])
        self._divisor = np.array([feature.get("divisor", 1.0) for feature in features for _ in range(width(feature))])
        self._is_scaled = any("divisor" in feature for feature in features)

    def encode(self, features: Features) -> list[float]:
        """Encode the features as the cells of one row of the matrix, before scaling."""
        if not self._is_wide:
            # A feature without an encoding is a number.
            values = ((features[name], encode) for name, encode in self._cells)
            return [value if encode is None else encode(value)[0] for value, encode in values]  # type: ignore[misc]
        cells: list[float] = []
        for name, encode in self._cells:
            if encode is None:
                cells.append(features[name])  # type: ignore[arg-type]
            else:
                cells.extend(encode(features[name]))
        return cells

    def predict(self, rows: Sequence[list[float]]) -> list[dict[str, object]]:
        """Return the predictions for each encoded row, by column name."""
        matrix = np.array(rows, dtype=np.float64)
        if self._is_scaled:
            matrix = (matrix - self._shift) / self._divisor
        # Values beyond the range of float32 would become infinite, which XGBoost refuses.
        matrix[~(np.abs(matrix) <= LARGEST)] = np.nan
        columns = self.scorer.columns(self.scorer.predict_matrix(matrix.astype(np.float32)))
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in values]

    def reasons(self, features: Features, count: int) -> list[dict[str, object]]:
        """Return the at most `count` features that most raise the score of a row or the probability of its class, or
        most change the prediction of a regression: name, value and contribution, as in `explain_scores`.
        """
        import pandas as pd

        frame = pd.DataFrame({name: [features[name]] for name in self.scorer.features})
        frame = frame.astype({name: object if encode else float for name, encode in self._cells})
        contributions = self.scorer.contributions(frame)[0, :-1]
        names = self.scorer.features
        return [
            {
                "feature": names[position],
                "value": _plain(features[names[position]]),
                "contribution": round(float(contributions[position]), DIGITS),
            }
            for position in rank_contributions(self.scorer, contributions, count)
        ]


def _encoding(feature: Mapping) -> Callable[[object], list[float]] | None:
    """Return the function from a category to its cells, see `scorer.to_matrix`; None for numbers."""
    if feature["kind"] == "number":
        return None
    categories, columns = feature["categories"], width(feature)
    if feature["kind"] == "onehot":
        known = {
            category: [float(position == column) for column in range(columns)]
            for position, category in enumerate(categories)
        }
    elif feature["kind"] == "frequency":
        known = {category: [share] for category, share in zip(categories, feature["shares"], strict=True)}
    else:
        known = {category: [float(position)] for position, category in enumerate(categories)}
    missing = [np.nan] * columns
    return lambda category: known.get(category, missing)


def _plain(value: float | str | None) -> float | str | None:
    return None if value != value else value
