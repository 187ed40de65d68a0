"""The holdout of the model of a day: its rows with labels and scores, and the rows on which a model is judged."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import HistoryTooShort, split_days
from ml_assets.pipeline.evaluation.champion import Opponent
from ml_assets.pipeline.features.labelled_features import LabelledFeatures
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.model.scorer import Scorer


class Holdout:
    """The holdouts of a model's days, in the features with their labels."""

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing):
        self.spec, self.rows = spec, LabelledFeatures(spec, lake, landing)

    def days_read(self, day: date) -> list[date]:
        """The feature days that judging the model of a day reads; none where the data begin too late for a model."""
        try:
            split = split_days(self.spec, day)
        except HistoryTooShort:
            return []
        first = split.first if self.spec.evaluation.exclude_known_positives else split.holdout[0]
        return [first + timedelta(days=n) for n in range((split.holdout[-1] - first).days + 1)]

    def scored(self, day: date, scorer: "Scorer", opponent: Opponent) -> "dict[date, pd.DataFrame]":
        """The rows of each day of the holdout: identity columns, `day`, `score`, and `champion_score` where there is an
        opponent.
        """
        parts = {}
        for used in split_days(self.spec, day).holdout:
            frame = self.rows.read(used, day, [*self.spec.identity_columns(), *scorer.features, *opponent.features])
            rows = frame[self.spec.identity_columns()].assign(day=used, score=scorer.score(frame))
            parts[used] = opponent.scored(rows, frame)
        return parts

    def judged(self, day: date, scored: "Mapping[date, pd.DataFrame]") -> "pd.DataFrame":
        """The scored rows on which the model of a day is judged."""
        import pandas as pd

        from ml_assets.core.evaluation.holdout_metrics import exclude_known_positives

        parts = list(scored.values())
        scores = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
        if not self.spec.evaluation.exclude_known_positives:
            return scores
        columns = [self.spec.entity or "", self.spec.target]
        known = [self.rows.read(used, day, columns).assign(day=used) for used in self.days_read(day)]
        earlier = pd.concat([part for part in known if len(part)] or known[:1], ignore_index=True)
        return exclude_known_positives(self.spec, scores, list(scored), earlier)

    def sample(self, day: date, names: Sequence[str]) -> "tuple[pd.DataFrame, int]":
        """Features of some rows of the holdout, as `sampled_rows` chooses them, and how many rows it has; one day in
        memory at a time.
        """
        import pandas as pd

        from ml_assets.core.plots.shap import sampled_rows
        from ml_assets.core.tables.schemas import to_pandas

        days = split_days(self.spec, day).holdout
        counts = self.rows.table.row_counts()
        rows = sum(counts.get(used, 0) for used in days)
        chosen, begin, parts = sampled_rows(rows, self.spec.training.seed), 0, []
        for used in days:
            of_day = chosen[(chosen >= begin) & (chosen < begin + counts.get(used, 0))] - begin
            parts.append(to_pandas(self.rows.table.read([used], list(names))).iloc[of_day])
            begin += counts.get(used, 0)
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True), rows
