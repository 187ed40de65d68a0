"""The rows of a canary: scored by both models once, with the labels that are known on the day of a decision."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.features.labelled_features import LabelledFeatures
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.model.scorer import Scorer

# Enough for the longest step of a canary by default, and the steps before it.
DAYS_KEPT = 128


class CanaryRows:
    """Scores of champion and challenger on the rows of feature days.

    A day whose features were never made, or were removed, has no rows.
    """

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing):
        self._spec = spec
        self._labelled = LabelledFeatures(spec, lake, landing)
        self._features = self._labelled.table
        self._labels = self._labelled.labels
        self._scored: OrderedDict[tuple, pd.DataFrame] = OrderedDict()

    def refresh(self) -> None:
        """Forget all cached inputs; unchanged days are not scored again."""
        self._labelled.refresh()

    def inputs(self, days: Sequence[date], labels_through: date, as_of: date) -> list[list]:
        """List [day, fingerprint] of the features of some days, ascending, and [day, digest] of the labels of the days
        whose labels are known.

        Raises:
            CannotMake: when label files up to `as_of` have landed and were never made; names the days.
        """
        features = [[day.isoformat(), self._features.fingerprint(day)] for day in days]
        labelled = self._days_with_labels(days, labels_through)
        if not self._labels or not labelled:
            return features
        return features + self._labels.inputs(labelled, as_of, f"the deployment of {as_of}")

    def rows(
        self,
        percents: Mapping[date, int | None],
        champion: "Scorer | None",
        challenger: "Scorer | None",
        models: tuple[str, ...],
        labels_through: date,
        as_of: date,
    ) -> "pd.DataFrame":
        """Return the rows of some days, as `measure_canary` takes them.

        Args:
            percents: share of the entities that the challenger was live for, by day; 0 in shadow, None where it was not
                the challenger.
            champion: scores all rows; None if it cannot, and then there are no rows.
            challenger: scores its rows, and all rows in shadow; None if it cannot.
            models: digests of both.
            labels_through: the last day whose labels are known.
            as_of: the day on which the labels are known.
        """
        import pandas as pd

        labelled, parts = set(self._days_with_labels(list(percents), labels_through)), [_no_rows()]
        for day, percent in percents.items():
            if champion is None:
                break
            rows = self._day(day, percent, champion, challenger, models)
            if self._labels:
                rows = rows.assign(label=_numbers(self._labels.column(day, as_of)) if day in labelled else float("nan"))
            parts.append(rows)
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)

    def _days_with_labels(self, days: Sequence[date], labels_through: date) -> list[date]:
        """Return the days that have rows and whose labels are known."""
        return [day for day in days if day <= labels_through and self._features.fingerprint(day) not in (None, EXPIRED)]

    def _day(
        self, day: date, percent: int | None, champion: "Scorer", challenger: "Scorer | None", models: tuple[str, ...]
    ) -> "pd.DataFrame":
        key = day, percent, *models, challenger is None, self._features.fingerprint(day)
        if key not in self._scored:
            self._scored[key] = self._score(day, percent, champion, challenger)
            while len(self._scored) > DAYS_KEPT:
                self._scored.popitem(last=False)
        return self._scored[key]

    def _score(self, day: date, percent: int | None, champion: "Scorer", challenger: "Scorer | None") -> "pd.DataFrame":
        import numpy as np
        import pandas as pd

        from ml_assets.core.release.traffic_split import route_to_challenger
        from ml_assets.core.tables.schemas import to_pandas

        entity = [self._spec.entity] if self._spec.entity else []
        target = [] if self._labels else [self._spec.target]
        names = dict.fromkeys([*entity, *target, *champion.features, *(challenger.features if challenger else [])])
        frame = to_pandas(self._features.read([day], list(names)))
        challengers = np.zeros(len(frame), dtype=bool)
        if percent and self._spec.entity:
            challengers = route_to_challenger(self._spec.name, frame[self._spec.entity], percent)
        compared = np.ones(len(frame), dtype=bool) if percent == 0 else challengers
        challenger_scores = np.full(len(frame), np.nan)
        if challenger is not None:
            challenger_scores[compared] = challenger.score(frame[compared])
        label = _numbers(frame[self._spec.target]) if target else np.full(len(frame), np.nan)
        scored = {
            "label": label,
            "challengers": challengers,
            "compared": compared,
            "champion_score": champion.score(frame),
            "challenger_score": challenger_scores,
        }
        return pd.DataFrame({"day": np.full(len(frame), np.datetime64(day, "us")), **scored})


def _no_rows() -> "pd.DataFrame":
    import pandas as pd

    types = {
        "day": "datetime64[us]",
        "label": "float64",
        "challengers": "bool",
        "compared": "bool",
        "champion_score": "float64",
        "challenger_score": "float64",
    }
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})


def _numbers(column: "pd.Series") -> "pd.Series":
    """Convert labels to 0 and 1 as float64, NaN where missing."""
    return column.astype("Float64").astype("float64")
