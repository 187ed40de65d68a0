"""The holdout of the model of a day: its scored rows, and the subset on which the model is evaluated."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import HistoryTooShort, first_known_positives, split_days
from ml_assets.pipeline.evaluation.champion import ChampionScorer
from ml_assets.pipeline.training.recent_features import RecentFeatures
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.model.scorer import Scorer


class Holdout:
    """Holdouts of the models of a specification, read from the features with their labels.

    rows: the days of features.
    """

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing):
        self.spec = spec
        self.rows = RecentFeatures(spec, lake, landing)

    def days_read(self, day: date) -> list[date]:
        """Return the feature days that the evaluation of a day reads; none if the data begin too late for a model."""
        try:
            split = split_days(self.spec, day)
        except HistoryTooShort:
            return []
        first = first_known_positives(self.spec, split) or split.holdout[0]
        return [first + timedelta(days=n) for n in range((split.holdout[-1] - first).days + 1)]

    def score_days(self, day: date, scorer: "Scorer", champion: ChampionScorer) -> "dict[date, pd.DataFrame]":
        """Score the rows of each day of the holdout.

        Args:
            day: the day of the model.
            scorer: the model.
            champion: the champion, which may have no scorer.

        Returns:
            By day of the holdout: identity columns, `day`, the predictions of the task (see `Outputs.columns`), and
            those of the champion, with the prefix `champion_`, if it has a scorer.
        """
        scores_by_day = {}
        for holdout_day in split_days(self.spec, day).holdout:
            columns = [*self.spec.identity_columns(), *scorer.features, *champion.features]
            frame = self.rows.read(holdout_day, day, columns)
            rows = frame[self.spec.identity_columns()].assign(day=holdout_day, **scorer.predict(frame))
            scores_by_day[holdout_day] = champion.add_scores(rows, frame)
        return scores_by_day

    def select_evaluated_rows(self, day: date, scores_by_day: "Mapping[date, pd.DataFrame]") -> "pd.DataFrame":
        """Select the scored rows on which the model of a day is evaluated; see `evaluation.exclude_known_positives`."""
        import pandas as pd

        from ml_assets.core.evaluation.holdout_metrics import exclude_known_positives

        parts = list(scores_by_day.values())
        scores = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
        if not self.spec.evaluation.exclude_known_positives:
            return scores
        columns = [self.spec.entity or "", self.spec.target]
        earlier_parts = [self.rows.read(earlier, day, columns).assign(day=earlier) for earlier in self.days_read(day)]
        earlier_rows = pd.concat([part for part in earlier_parts if len(part)] or earlier_parts[:1], ignore_index=True)
        return exclude_known_positives(self.spec, scores, list(scores_by_day), earlier_rows)
