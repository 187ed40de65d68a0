"""The champion of an evaluation: the model that is live according to the release ledger, and the comparison with it."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.evaluation.champion_eligibility import Champion, explain_ineligibility
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_differences import explain_lost_ledger
from ml_assets.pipeline.asset_names import CHAMPION_COMPARISON
from ml_assets.pipeline.evaluation.model_reader import explain_other_task, read_scorer, threshold_of
from ml_assets.pipeline.training.committed_rows import CommittedRows, to_rows
from ml_assets.resources.lake.errors import DamagedDay
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import ModelFilesUnusable, artifacts_key, read_model_files
from ml_assets.resources.mlflow.errors import MlflowUnavailable
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.ledger import Ledger
from ml_assets.resources.release.release_targets import read_registry_differences

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ml_assets.core.model.scorer import Scorer

ALIAS = "champion"


class Champions:
    """The current champion, and the champion that each day recorded when it was evaluated.

    The release ledger says which model is the champion. Before the first release it is the version that somebody gave
    the alias champion in the registry, which the first decision adopts.
    """

    def __init__(self, spec: ModelSpec, lake: Lake, registry: ModelRegistry):
        from ml_assets.core.tables.schemas import CHAMPION_COMPARISON_SCHEMA

        self.spec = spec
        self._lake = lake
        self._registry = registry
        self._ledger = Ledger(lake, spec.name)
        self.table = lake.table(spec.name, CHAMPION_COMPARISON, CHAMPION_COMPARISON_SCHEMA)
        self._rows = CommittedRows(self.table, to_rows)
        self._is_read = False
        self._current: Champion | None = None

    def refresh(self) -> None:
        """Read the champion again when it is needed next."""
        self._is_read = False

    def current(self) -> Champion | None:
        """Read the champion from the ledger, at most once between two refreshes.

        Raises:
            MlflowUnavailable: when there was no release yet and the registry cannot be reached.
        """
        if not self._is_read:
            champion = self._ledger.latest().champion
            self._current = Champion(champion.number, champion.digest, champion.day) if champion else self._read_alias()
            self._is_read = True
        return self._current

    def _read_alias(self) -> Champion | None:
        """Return the version with the alias champion before the first release."""
        version = self._registry.alias_holder(self.spec.name, ALIAS)
        if version is None:
            return None
        day = version.tags.get("day")
        return Champion(
            int(version.version), version.tags.get("model_digest"), date.fromisoformat(day) if day else None
        )

    def differences(self) -> list[str]:
        """Return how MLflow differs from the release ledger, one sentence for each difference; none while MLflow cannot
        be reached, which every step that needs it reports.
        """
        from mlflow.exceptions import MlflowException

        try:
            return read_registry_differences(self._registry, self.spec.name, self._ledger.latest())
        except (MlflowUnavailable, MlflowException):
            return []

    def problem(self) -> str | None:
        """Return why the current champion cannot be compared with any model until somebody acts, with the remedy; None
        if it can be, or there is no champion.
        """
        champion = self.current()
        if champion is None:
            registry_state = self._registry.release_state(self.spec.name)
            lost = registry_state and explain_lost_ledger(self.spec.name, self._ledger.latest(), registry_state)
            return lost or None
        subject = f"the champion, version {champion.version}"
        if champion.digest is None or champion.day is None:
            return (
                f"{subject}, has no tags model_digest and day, so its model is unknown; give it these tags, or delete "
                "the alias champion"
            )
        try:
            read_model_files(self._lake, self.spec.name, champion.digest)
        except ModelFilesUnusable as error:
            return f"{subject} of {champion.day}, cannot score the rows: {error}"
        return None

    def current_input(self) -> list:
        """Return the current champion as an input of an evaluation that is computed now, with the problem that prevents
        a comparison.
        """
        champion, problem = self.current(), self.problem()
        named = _input(champion.digest, champion.day) if champion else _input(None, None)
        return [named, *([["champion_problem", problem]] if problem else [])]

    def recorded_input(self, day: date) -> list:
        """Return the champion as an input of the committed evaluation of a day; empty if the day recorded none, or one
        that could not be compared, so that the day is computed again once it can be.
        """
        try:
            rows = self.comparison(day)
        except DamagedDay:
            return []
        if not rows or rows[0]["cannot_compare"]:
            return []
        return [_input(rows[0]["champion_digest"], rows[0]["champion_day"])]

    def comparison(self, day: date) -> list[dict]:
        """Read the committed comparison of a day, one row per metric."""
        return self._rows.read(day)

    def open_scorer(self, digest: str, day: date) -> "ChampionScorer":
        """Open the current champion for the comparison with the model of a day.

        Args:
            digest: digest of the model of the day.
            day: the day of the model.

        Returns:
            The champion; without a scorer if the specification has no comparison, or the models cannot be compared.

        Raises:
            MlflowUnavailable: when the registry cannot be reached.
        """
        if self.spec.champion is None:
            return ChampionScorer(None, None)
        champion = self.current()
        note = explain_ineligibility(champion, digest, day)
        is_known = champion is not None and champion.digest is not None and champion.day is not None
        if is_known and note:
            return ChampionScorer(None, note)
        if problem := self.problem():
            return ChampionScorer(None, problem, cannot_compare=True)
        if champion is None or note:
            return ChampionScorer(None, note)
        prefix = f"the champion, version {champion.version} of {champion.day}, cannot score the rows"
        try:
            scorer = read_scorer(self._lake, artifacts_key(self.spec.name, champion.digest or ""))
        except (ModelFilesUnusable, ValueError) as error:
            return ChampionScorer(None, f"{prefix}: {error}", cannot_compare=True)
        if problem := explain_other_task(self.spec, scorer.preprocessing):
            return ChampionScorer(None, f"{prefix}: {problem}", cannot_compare=True)
        features = set(self.spec.feature_names())
        if missing := [name for name in scorer.features if name not in features]:
            remedy = (
                "add it to the specification again, or set `champion: null` until a model without it is the champion"
            )
            reason = f"there is no longer a feature {', '.join(missing)}; {remedy}"
            return ChampionScorer(None, f"{prefix}: {reason}", cannot_compare=True)
        return ChampionScorer(scorer, None)

    def compare(self, champion_scorer: "ChampionScorer", scores: "pd.DataFrame", threshold: float | None) -> "pa.Table":
        """Compare a model with the champion on the same rows.

        Args:
            champion_scorer: the champion.
            scores: evaluated rows with the predictions of the model and, if the champion scored them, those of the
                champion.
            threshold: threshold of the model; None unless the task is binary.

        Returns:
            The rows of the table, one per metric, each with the reason if the models are not compared; no rows if the
            specification has no comparison.
        """
        import pyarrow as pa

        from ml_assets.core.evaluation.holdout_metrics import compare_with_champion
        from ml_assets.core.metrics.paired_comparison import empty_comparison
        from ml_assets.core.model_spec.types.metric_names import compared_metrics

        schema = self.table.schema.remove(0)
        if self.spec.champion is None:
            return schema.empty_table()
        scorer = champion_scorer.scorer
        comparison = (
            empty_comparison(compared_metrics(self.spec.outputs))
            if scorer is None
            else compare_with_champion(self.spec, scores, (threshold, threshold_of(scorer)))
        )
        champion = self.current()
        champion_columns: Mapping = {
            "champion_version": champion.version if champion else None,
            "champion_digest": champion.digest if champion else None,
            "champion_day": champion.day if champion else None,
            "note": champion_scorer.note,
            "cannot_compare": champion_scorer.cannot_compare,
        }
        return pa.Table.from_pylist(
            [{**row, **champion_columns} for row in comparison.to_dict("records")], schema=schema
        )


class ChampionScorer:
    """The champion as the scorer of the rows of one evaluation.

    scorer: None if the champion does not score the rows. note: the reason why it does not. cannot_compare: whether
    there is a champion that cannot be compared until somebody acts; the gate then fails.
    """

    def __init__(self, scorer: "Scorer | None", note: str | None, cannot_compare: bool = False):
        self.scorer = scorer
        self.note = note
        self.cannot_compare = cannot_compare

    @property
    def features(self) -> list[str]:
        """Names of the features that the champion reads."""
        return self.scorer.features if self.scorer is not None else []

    def add_scores(self, rows: "pd.DataFrame", features: "pd.DataFrame") -> "pd.DataFrame":
        """Return rows with the predictions of the champion, as columns with the prefix `champion_`.

        Once the champion fails to score rows, these and all later rows are returned without these columns.

        Args:
            rows: rows of one day.
            features: features of the same rows, in the same order.
        """
        from ml_assets.core.metrics.scored_rows import CHAMPION_PREFIX

        if self.scorer is None:
            return rows
        try:
            predictions = self.scorer.predict(features)
            return rows.assign(**{f"{CHAMPION_PREFIX}{name}": values for name, values in predictions.items()})
        except ValueError as error:
            self.scorer = None
            self.cannot_compare = True
            self.note = f"the champion cannot score the rows: {error}"
            return rows


def _input(digest: str | None, day: date | None) -> list:
    return ["champion", digest, day.isoformat() if day else None]
