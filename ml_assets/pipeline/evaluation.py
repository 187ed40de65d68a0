"""Stage evaluation: the holdout scored by the model of the day and by the champion, metrics with intervals, and the verdict of each gate."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.fingerprint import code_version, fingerprint
from ml_assets.core.spec import ModelSpec
from ml_assets.core.spec.feed import rows_feed
from ml_assets.core.splits import HistoryTooShort, split_days
from ml_assets.pipeline.blocking import Blocking
from ml_assets.pipeline.champion import COMPARISON, Champions, Opponent, read_scorer
from ml_assets.pipeline.features import FEATURES
from ml_assets.pipeline.inputs import fingerprint_of, fingerprints_of
from ml_assets.pipeline.labels import LabelsByKey, labels_part
from ml_assets.pipeline.score_profiles import SCORES, profiles_of_scores, score_days
from ml_assets.pipeline.stage import Made
from ml_assets.pipeline.training import MODEL
from ml_assets.resources.lake import Lake
from ml_assets.resources.landing import Landing
from ml_assets.resources.registry import ModelRegistry

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ml_assets.core.gates import Verdict
    from ml_assets.core.scorer import Scorer

EVALUATION, METRICS = "evaluation", "evaluation_metrics"


class ModelEvaluation:
    """Scores on the holdout, metrics with bootstrap intervals, the comparison with the champion, and the verdict of each gate.

    Inputs: the model of the day, the feature days of the holdout, and the champion of the time when the day was made. A champion that moved since
    makes no day again.
    """

    name = EVALUATION

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing, registry: ModelRegistry):
        from ml_assets.core.schemas import EVALUATION_METRICS, SCORE_PROFILE, TRAINED_MODEL, evaluation_schema, features_schema

        self.spec, self.lake, self._landing = spec, lake, landing
        joined = ["ml_assets.core.labels"] if spec.labels else []
        self.code = code_version("ml_assets.core.evaluation", "ml_assets.core.champion", "ml_assets.core.scorer", "ml_assets.core.profiles", *joined)
        self.spec_part = {
            "evaluation": spec.evaluation.model_dump(mode="json", exclude={"slice_min_positives"}),
            "compared_with_champion": spec.champion is not None,
            "columns": [spec.identity_columns(), spec.event_time, spec.target, spec.entity],
            "label_delay": spec.label_delay.days,
            "seed": spec.training.seed,
        }
        self._features = lake.table(spec.name, FEATURES, features_schema(spec))
        self._models = lake.table(spec.name, MODEL, TRAINED_MODEL)
        self._labels = LabelsByKey(spec, lake, landing, self._features) if spec.labels else None
        if self._labels:
            self.spec_part["labels"] = labels_part(spec)
        self.blocking = Blocking(spec, lake, landing)
        self._champions = Champions(spec, lake, registry)
        self.tables = {
            SCORES: lake.table(spec.name, SCORES, SCORE_PROFILE),
            COMPARISON: self._champions.table,
            METRICS: lake.table(spec.name, METRICS, EVALUATION_METRICS),
            EVALUATION: lake.table(spec.name, EVALUATION, evaluation_schema(spec)),
        }

    def refresh(self) -> None:
        """See what has been trained since, and which model is in use."""
        self._champions.refresh()
        self.blocking.refresh()
        self._features.refresh()
        self._models.refresh()
        if self._labels:
            self._labels.refresh()

    def _days_used(self, day: date) -> list[date]:
        try:
            split = split_days(self.spec, day)
        except HistoryTooShort:
            return []
        first = split.first if self.spec.evaluation.exclude_known_positives else split.holdout[0]
        return [first + timedelta(days=n) for n in range((split.holdout[-1] - first).days + 1)]

    def inputs(self, day: date) -> list:
        """The fingerprint of the model, and of each feature day that is read, the labels that its rows have on `day`, and the champion.

        That is the champion with which the day was made, where nothing else changed since, and else the one of now.

        Raises:
            KeepDay: while a blocking check of the day fails.
        """
        self.blocking.hold(day)
        made_from = self._model_and_rows(day)
        has_no_model = not self._models.is_supposed(day) and not self.model_row(day)["model_digest"]
        if self.spec.champion is None or has_no_model:
            return made_from
        as_made = [*made_from, *self._champions.part_recorded(day)]
        if self.tables[EVALUATION].holds(day, fingerprint(self.code, self.spec_part, as_made)):
            return as_made
        return [*made_from, *self._champions.part_of_now()]

    def _model_and_rows(self, day: date) -> list:
        model = fingerprint_of(self.spec.name, self._models, day, EVALUATION, MODEL)
        used, reader = self._days_used(day), f"the {EVALUATION} of {day}"
        if not used:
            return [model]
        features = fingerprints_of(rows_feed(self.spec), self._landing, self._features, used, reader, FEATURES)
        return [model, *features, *(self._labels.inputs(used, day, reader) if self._labels else [])]

    def make(self, day: date, alone: bool) -> Made:
        """Score the holdout day by day and measure."""
        import pyarrow as pa

        from ml_assets.core.evaluation import measure

        model = self.model_row(day)
        if not model["model_digest"]:
            empty = {name: table.schema.remove(0).empty_table() for name, table in self.tables.items()}
            return Made(empty, f"no model: {model['problem']}")
        opponent, scorer = self._champions.opponent(model["model_digest"], day), self.scorer(model["artifacts"])
        days = self._score(day, scorer, opponent)
        scores = self._judged(day, days)
        metrics = measure(self.spec, scores, model["threshold"])
        stored = scores.rename(columns={"day": "event_day"}).assign(decision=scores["score"] >= model["threshold"])
        return Made(
            {
                SCORES: self._profiles_of_scores(day, scorer, days),
                COMPARISON: self._champions.rows(opponent, scores, model["threshold"]),
                METRICS: pa.Table.from_pandas(metrics, schema=self.tables[METRICS].schema.remove(0), preserve_index=False),
                EVALUATION: pa.Table.from_pandas(stored, schema=self.tables[EVALUATION].schema.remove(0), preserve_index=False),
            }
        )

    def _score(self, day: date, scorer: "Scorer", opponent: Opponent) -> "dict[date, pd.DataFrame]":
        """The rows of each day of the holdout with their scores."""
        parts = {}
        for scored in split_days(self.spec, day).holdout:
            frame = self._labelled(scored, day, [*self.spec.identity_columns(), *scorer.features, *opponent.features])
            rows = frame[self.spec.identity_columns()].assign(day=scored, score=scorer.score(frame))
            parts[scored] = opponent.scored(rows, frame)
        return parts

    def _profiles_of_scores(self, day: date, scorer: "Scorer", holdout: "Mapping[date, pd.DataFrame]") -> "pa.Table":
        of_holdout = {scored: rows["score"].to_numpy() for scored, rows in holdout.items()}
        of_window = score_days(scorer, self._features, split_days(self.spec, day).window)
        return profiles_of_scores({**of_window, **of_holdout}, self.spec.source.time_zone)

    def _judged(self, day: date, days: "Mapping[date, pd.DataFrame]") -> "pd.DataFrame":
        """The scored rows on which the model is judged."""
        import pandas as pd

        from ml_assets.core.evaluation import without_known_positives

        parts = list(days.values())
        scores = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
        if not self.spec.evaluation.exclude_known_positives:
            return scores
        columns = [self.spec.entity or "", self.spec.target]
        known = [self._labelled(used, day, columns).assign(day=used) for used in self._days_used(day)]
        earlier = pd.concat([part for part in known if len(part)] or known[:1], ignore_index=True)
        return without_known_positives(self.spec, scores, list(days), earlier)

    def _labelled(self, used: date, day: date, columns: Sequence[str]) -> "pd.DataFrame":
        """Columns of a day of features, the target with the labels that count on `day` among them."""
        from ml_assets.core.schemas import to_pandas

        names = list(dict.fromkeys(columns))
        if not self._labels:
            return to_pandas(self._features.read([used], names))
        rows = to_pandas(self._features.read([used], [name for name in names if name != self.spec.target]))
        return rows.assign(**{self.spec.target: self._labels.column(used, day)})[names]

    def model_row(self, day: date) -> dict:
        """The row of trained_model of one day; without a digest, and with the reason, where no model was made."""
        rows = self._models.read([day]).to_pylist()
        return rows[0] if rows else {"model_digest": None, "problem": self.blocking.reason(day) or "it was not made"}

    def scorer(self, artifacts: str) -> "Scorer":
        """The model whose files lie in the folder `artifacts` of the lake."""
        return read_scorer(self.lake, artifacts)

    def metrics(self, day: date) -> "pd.DataFrame":
        """The committed metrics of one day, overall and of slices."""
        return self.tables[METRICS].read([day]).to_pandas()

    def overall(self, day: date) -> "pd.DataFrame":
        """The committed metrics of one day on all rows together."""
        metrics = self.metrics(day)
        return metrics[metrics["slice_column"].fillna("") == ""]

    def labelled_scores(self, day: date) -> "tuple[pd.Series, pd.Series]":
        """Labels (0 or 1) and scores of the holdout rows of one day's model, as committed; rows without a label are left out."""
        scored = self.tables[EVALUATION].read([day], [self.spec.target, "score"]).to_pandas()
        labelled = scored[scored[self.spec.target].notna()]
        return labelled[self.spec.target].astype("int64"), labelled["score"]

    def late_labels(self, days: Sequence[date], day: date) -> tuple[int, int] | None:
        """(labels of the rows of `days` that counted only after `label_delay`, all labels) as of `day`; None where labels come with the rows."""
        return self._labels.count_late(days, day) if self._labels else None

    def verdicts(self, day: date) -> "list[Verdict]":
        """The verdict of each gate of the spec on the committed metrics of one day: of all rows, of slices, and against the champion."""
        from ml_assets.core.gates import judge, judge_champion, judge_slices

        metrics = self.metrics(day)
        of_all = metrics["slice_column"].fillna("") == ""
        overall, slices = metrics[of_all], metrics[~of_all].to_dict("records")
        verdicts = judge(self.spec.gates, dict(zip(overall["metric"], overall["value"], strict=True)))
        verdicts += judge_slices(self.spec.gates, slices, self.spec.evaluation.slice_min_positives)
        if self.spec.champion is not None:
            verdicts.append(judge_champion(self.spec.champion, self._champions.comparison(day)))
        return verdicts

    def is_kept(self, day: date) -> bool:
        """Everything is in the lake."""
        return True
