"""The rows of a canary: scored by both models once, with the labels that are known on the day of a decision."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date
from math import nan
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.features.labelled_features import LabelledFeatures
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.model.scorer import Scorer

# By default enough for the longest step of a canary and the steps before it.
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
            CannotMake: when label files up to `as_of` have landed and were never made; the message names the days.
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
        """Return the rows of some days in the form that `measure_canary` expects.

        Args:
            percents: share of the entities that the challenger was live for, by day; 0 in shadow, None where it was not
                the challenger.
            champion: the scorer of all rows; None if the champion cannot score, and then there are no rows.
            challenger: the scorer of the challenger's rows, and in shadow of all rows; None if it cannot score.
            models: digests of both models.
            labels_through: the last day whose labels are known.
            as_of: the day on which the labels are known.
        """
        import pandas as pd

        from ml_assets.core.model.target import encode_target

        labelled, parts = set(self._days_with_labels(list(percents), labels_through)), [self._no_rows()]
        for day, percent in percents.items():
            if champion is None:
                break
            rows = self._day(day, percent, champion, challenger, models)
            if self._labels:
                label = encode_target(self._spec, self._labels.column(day, as_of)) if day in labelled else nan
                rows = rows.assign(label=label)
            parts.append(rows)
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)

    def _days_with_labels(self, days: Sequence[date], labels_through: date) -> list[date]:
        """Return the days that have rows and whose labels are known."""
        return [day for day in days if day <= labels_through and self._features.is_committed(day)]

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

        from ml_assets.core.metrics.scored_rows import CHALLENGER_PREFIX, CHAMPION_PREFIX, task_metrics
        from ml_assets.core.model.target import encode_target
        from ml_assets.core.release.traffic_split import route_to_challenger
        from ml_assets.core.tables.schemas import to_pandas

        spec = self._spec
        chosen = [name for name in (spec.entity, spec.sample_weight, None if self._labels else spec.target) if name]
        names = dict.fromkeys([*chosen, *champion.features, *(challenger.features if challenger else [])])
        frame = to_pandas(self._features.read([day], list(names)))
        challengers = np.zeros(len(frame), dtype=bool)
        if percent and spec.entity:
            challengers = route_to_challenger(spec.name, frame[spec.entity], percent)
        compared = np.ones(len(frame), dtype=bool) if percent == 0 else challengers
        known = {} if self._labels else {"label": encode_target(spec, frame[spec.target])}
        weight = {"weight": frame[spec.sample_weight]} if spec.sample_weight else {}
        scored = pd.DataFrame(
            {
                "day": np.full(len(frame), np.datetime64(day, "us")),
                "label": np.nan,
                **known,
                "challengers": challengers,
                "compared": compared,
                **weight,
            },
            index=frame.index,
        )
        champion_values = champion.predict(frame)
        challenger_values = challenger.predict(frame[compared]) if challenger is not None else {}
        for name in task_metrics(spec).columns:
            values = np.full(len(frame), np.nan)
            if challenger_values:
                values[compared] = challenger_values[name]
            scored[f"{CHAMPION_PREFIX}{name}"] = champion_values[name]
            scored[f"{CHALLENGER_PREFIX}{name}"] = values
        return scored

    def _no_rows(self) -> "pd.DataFrame":
        import pandas as pd

        from ml_assets.core.metrics.scored_rows import CHALLENGER_PREFIX, CHAMPION_PREFIX, task_metrics

        columns = task_metrics(self._spec).columns
        kinds = {"day": "datetime64[us]", "label": "float64", "challengers": "bool", "compared": "bool"}
        weight = ["weight"] if self._spec.sample_weight else []
        values = [f"{prefix}{name}" for prefix in (CHAMPION_PREFIX, CHALLENGER_PREFIX) for name in columns]
        kinds |= dict.fromkeys([*weight, *values], "float64")
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
