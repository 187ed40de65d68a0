"""The champion of an evaluation: the model that the alias in the registry points to, and the comparison with it."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.evaluation.champion_eligibility import Champion, explain_ineligibility
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import CHAMPION_COMPARISON
from ml_assets.pipeline.evaluation.model_reader import read_scorer
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import artifacts_key
from ml_assets.resources.registry.model_registry import ModelRegistry

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ml_assets.core.model.scorer import Scorer

ALIAS = "champion"


class Champions:
    """The current champion in the registry, and the one that each day recorded when it was evaluated."""

    def __init__(self, spec: ModelSpec, lake: Lake, registry: ModelRegistry):
        from ml_assets.core.tables.schemas import CHAMPION_COMPARISON_SCHEMA

        self.spec = spec
        self._lake = lake
        self._registry = registry
        self.table = lake.table(spec.name, CHAMPION_COMPARISON, CHAMPION_COMPARISON_SCHEMA)
        self._is_read = False
        self._current: Champion | None = None

    def refresh(self) -> None:
        """Read the champion from the registry again when it is needed next."""
        self._is_read = False

    def current(self) -> Champion | None:
        """Read the champion from the registry, at most once between two refreshes.

        Raises:
            MlflowUnavailable: when the registry cannot be reached.
        """
        if not self._is_read:
            version = self._registry.alias_holder(self.spec.name, ALIAS)
            self._current = None
            if version is not None:
                day = version.tags.get("day")
                self._current = Champion(
                    int(version.version), version.tags.get("model_digest"), date.fromisoformat(day) if day else None
                )
            self._is_read = True
        return self._current

    def current_input(self) -> list:
        """Return the current champion as an input of an evaluation that is made now."""
        champion = self.current()
        return [_input(champion.digest, champion.day) if champion else _input(None, None)]

    def recorded_input(self, day: date) -> list:
        """Return the champion as an input of the committed evaluation of a day; nothing if it recorded none."""
        rows = self.comparison(day)
        return [_input(rows[0]["champion_digest"], rows[0]["champion_day"])] if rows else []

    def comparison(self, day: date) -> list[dict]:
        """Read the committed comparison of a day, one row a metric."""
        return self.table.read([day]).to_pylist()

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
        if note := explain_ineligibility(champion, digest, day):
            return ChampionScorer(None, note)
        assert champion is not None
        prefix = f"the champion, version {champion.version} of {champion.day}, cannot score the rows"
        try:
            scorer = read_scorer(self._lake, artifacts_key(self.spec.name, champion.digest or ""))
        except FileNotFoundError as error:
            return ChampionScorer(None, f"{prefix}: its files are not in the lake ({error})")
        except ValueError as error:
            return ChampionScorer(None, f"{prefix}: {error}")
        features = set(self.spec.feature_names())
        if missing := [name for name in scorer.features if name not in features]:
            return ChampionScorer(None, f"{prefix}: there is no longer a feature {', '.join(missing)}")
        return ChampionScorer(scorer, None)

    def compare(self, champion_scorer: "ChampionScorer", scores: "pd.DataFrame", threshold: float) -> "pa.Table":
        """Compare a model with the champion on the same rows.

        Args:
            champion_scorer: the champion.
            scores: evaluated rows with `score` and, if the champion scored them, `champion_score`.
            threshold: threshold of the model.

        Returns:
            The rows of the table, one a metric, each with the reason if the models are not compared; no rows if the
            specification has no comparison.
        """
        import pyarrow as pa

        from ml_assets.core.evaluation.holdout_metrics import compare_with_champion
        from ml_assets.core.metrics.paired_comparison import empty_comparison

        schema = self.table.schema.remove(0)
        if self.spec.champion is None:
            return schema.empty_table()
        scorer = champion_scorer.scorer
        comparison = (
            empty_comparison()
            if scorer is None
            else compare_with_champion(self.spec, scores, (threshold, scorer.threshold))
        )
        champion = self.current()
        champion_columns: Mapping = {
            "champion_version": champion.version if champion else None,
            "champion_digest": champion.digest if champion else None,
            "champion_day": champion.day if champion else None,
            "note": champion_scorer.note,
        }
        return pa.Table.from_pylist(
            [{**row, **champion_columns} for row in comparison.to_dict("records")], schema=schema
        )


class ChampionScorer:
    """The champion as the scorer of the rows of one evaluation.

    scorer: None if the champion does not score the rows. note: the reason why it does not.
    """

    def __init__(self, scorer: "Scorer | None", note: str | None):
        self.scorer = scorer
        self.note = note

    @property
    def features(self) -> list[str]:
        """Names of the features that the champion reads."""
        return self.scorer.features if self.scorer is not None else []

    def add_scores(self, rows: "pd.DataFrame", features: "pd.DataFrame") -> "pd.DataFrame":
        """Return rows with the score of the champion as the column champion_score.

        From the first rows on that the champion cannot score, rows are returned without the column.

        Args:
            rows: rows of one day.
            features: features of the same rows, in the same order.
        """
        if self.scorer is None:
            return rows
        try:
            return rows.assign(champion_score=self.scorer.score(features))
        except ValueError as error:
            self.scorer = None
            self.note = f"the champion cannot score the rows: {error}"
            return rows


def _input(digest: str | None, day: date | None) -> list:
    return ["champion", digest, day.isoformat() if day else None]
