"""The champion of an evaluation: the model that the registry's alias points to, asked for once, and what each day
recorded of it.
"""

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
    """Which champion a day is compared with: of now, or as the day recorded it when it was made."""

    def __init__(self, spec: ModelSpec, lake: Lake, registry: ModelRegistry):
        from ml_assets.core.tables.schemas import CHAMPION_COMPARISON_SCHEMA

        self.spec, self._lake, self._registry = spec, lake, registry
        self.table = lake.table(spec.name, CHAMPION_COMPARISON, CHAMPION_COMPARISON_SCHEMA)
        self._asked = False
        self._now: Champion | None = None

    def refresh(self) -> None:
        """Ask the registry again when the champion is needed next."""
        self._asked = False

    def now(self) -> Champion | None:
        """The champion as the registry says, asked at most once between two refreshes.

        Raises:
            MlflowUnavailable: when the registry cannot be reached.
        """
        if not self._asked:
            held = self._registry.alias_holder(self.spec.name, ALIAS)
            self._now = None
            if held is not None:
                day = held.tags.get("day")
                self._now = Champion(
                    int(held.version), held.tags.get("model_digest"), date.fromisoformat(day) if day else None
                )
            self._asked = True
        return self._now

    def part_of_now(self) -> list:
        """What an evaluation made now is made from, besides model and rows."""
        champion = self.now()
        return [_part(champion.digest, champion.day) if champion else _part(None, None)]

    def part_recorded(self, day: date) -> list:
        """What the evaluation of a day was made from, besides model and rows, as its own rows say; nothing where it has
        none.
        """
        rows = self.comparison(day)
        return [_part(rows[0]["champion_digest"], rows[0]["champion_day"])] if rows else []

    def comparison(self, day: date) -> list[dict]:
        """The committed rows of a day."""
        return self.table.read([day]).to_pylist()

    def opponent(self, digest: str, day: date) -> "Opponent":
        """The champion of now, as the opponent of the model of a day, with a digest; none where the specification wants
        no comparison.

        Raises:
            MlflowUnavailable: when the registry cannot be reached.
        """
        if self.spec.champion is None:
            return Opponent(None, None)
        champion = self.now()
        if note := explain_ineligibility(champion, digest, day):
            return Opponent(None, note)
        assert champion is not None
        named = f"the champion, version {champion.version} of {champion.day}, cannot score the rows"
        try:
            scorer = read_scorer(self._lake, artifacts_key(self.spec.name, champion.digest or ""))
        except FileNotFoundError as error:
            return Opponent(None, f"{named}: its files are not in the lake ({error})")
        except ValueError as error:
            return Opponent(None, f"{named}: {error}")
        features = set(self.spec.feature_names())
        if gone := [name for name in scorer.features if name not in features]:
            return Opponent(None, f"{named}: there is no longer a feature {', '.join(gone)}")
        return Opponent(scorer, None)

    def rows(self, opponent: "Opponent", scores: "pd.DataFrame", threshold: float) -> "pa.Table":
        """The rows of the table: the model, with its threshold, against its opponent; or for each metric why they are
        not compared.

        None where the specification wants no comparison.
        """
        import pyarrow as pa

        from ml_assets.core.evaluation.holdout_metrics import compare_with_champion
        from ml_assets.core.metrics.paired_comparison import empty_comparison

        schema = self.table.schema.remove(0)
        if self.spec.champion is None:
            return schema.empty_table()
        scorer = opponent.scorer
        found = (
            empty_comparison()
            if scorer is None
            else compare_with_champion(self.spec, scores, (threshold, scorer.threshold))
        )
        champion, note = self.now(), opponent.note
        about: Mapping = {
            "champion_version": champion.version if champion else None,
            "champion_digest": champion.digest if champion else None,
            "champion_day": champion.day if champion else None,
            "note": note,
        }
        return pa.Table.from_pylist([{**row, **about} for row in found.to_dict("records")], schema=schema)


class Opponent:
    """The champion as it scores the rows of one evaluation. note: why it does not."""

    def __init__(self, scorer: "Scorer | None", note: str | None):
        self.scorer, self.note = scorer, note

    @property
    def features(self) -> list[str]:
        """The features that it needs."""
        return self.scorer.features if self.scorer is not None else []

    def scored(self, rows: "pd.DataFrame", features: "pd.DataFrame") -> "pd.DataFrame":
        """Rows with its score as the column champion_score, from their features; without it from the first that it
        cannot score.
        """
        if self.scorer is None:
            return rows
        try:
            return rows.assign(champion_score=self.scorer.score(features))
        except ValueError as error:
            self.scorer, self.note = None, f"the champion cannot score the rows: {error}"
            return rows


def _part(digest: str | None, day: date | None) -> list:
    return ["champion", digest, day.isoformat() if day else None]
