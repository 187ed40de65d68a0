"""Stage deployment: decides day by day on the models that passed their gates, and records releases in the ledger."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, NoReturn, cast

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.canary_policy import Decision, Outcome, decide, next_candidate
from ml_assets.core.release.release_state import Move, Release, Version, live_on
from ml_assets.core.tables.code_version import code_version
from ml_assets.pipeline.asset_names import CANARY_COMPARISON, DEPLOYMENT, ENTRY
from ml_assets.pipeline.engine.stage import DayByDay, DecidedAlready, InputChanged, StageOutput
from ml_assets.pipeline.engine.upstream import check_not_replaced
from ml_assets.pipeline.evaluation.model_reader import threshold_of
from ml_assets.pipeline.features.task_part import task_part
from ml_assets.pipeline.release.canary_rows import CanaryRows
from ml_assets.pipeline.release.decision_row import decision_row
from ml_assets.pipeline.release.scorer_cache import CannotScore, ScorerCache
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.release.ledger import Ledger, LedgerConflict
from ml_assets.resources.release.releases import ReleaseRefused
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    from ml_assets.core.release.canary_comparison import Measured

RUN = "run "
LATER_DAYS_DECIDED = "later days were decided already"


def refuse_to_release(before: Release, move: Move) -> NoReturn:
    """Refuse to release outside of a run.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"{move.after} is released by materializing the deployment of {move.day}")


class ModelDeployment(DayByDay):
    """The decision of a day on the models that passed their gates: start, advance, promote, rollback, replace or hold,
    with the figures behind it.

    A day is decided once, from what was known on it, before its rows are scored. Inputs: the registry entry of the day,
    the last release before it, and the feature days since the canary began. Days before the newest decided day do not
    change.
    """

    name = DEPLOYMENT

    def __init__(
        self, spec: ModelSpec, lake: Lake, landing: Landing, release: Callable[[Release, Move], None], actor: str
    ):
        """Open the stage.

        Args:
            spec: the model.
            lake: holds the tables and the ledger.
            landing: holds the label files.
            release: carries out a release; raises LedgerConflict if somebody else released in the meantime.
            actor: the run, as the ledger names it.
        """
        from ml_assets.core.tables import release_schemas, schemas

        self.spec = spec
        self.lake = lake
        self.ledger = Ledger(lake, spec.name)
        self._release = release
        self._actor = actor
        self._models = ScorerCache(spec, lake)
        self._rows = CanaryRows(spec, lake, landing)
        self.code = code_version(__name__)
        canary = spec.deployment.canary
        self.spec_part = {
            "canary": canary.model_dump(mode="json") if canary else None,
            "columns": [spec.entity, spec.target],
            "label_delay": spec.label_delay.days,
            "seed": spec.training.seed,
            **task_part(spec),
        }
        self._entries = lake.table(spec.name, ENTRY, schemas.REGISTRY_ENTRY_SCHEMA)
        self.tables = {
            CANARY_COMPARISON: lake.table(spec.name, CANARY_COMPARISON, release_schemas.CANARY_COMPARISON_SCHEMA),
            DEPLOYMENT: lake.table(spec.name, DEPLOYMENT, release_schemas.DEPLOYMENT_SCHEMA),
        }
        self._moves: list[Move] | None = None
        self.differences: Callable[[], Sequence[str]] = lambda: ()
        """Returns how MLflow and the deploy target differ from the ledger; none outside of a run."""

    def refresh(self) -> None:
        """Forget all cached inputs."""
        self._moves = None
        self._entries.refresh()
        self._rows.refresh()

    @property
    def moves(self) -> list[Move]:
        """All releases, read once between two refreshes."""
        if self._moves is None:
            self._moves = self.ledger.moves()
        return self._moves

    def inputs(self, day: date) -> list:
        """The registry entry of the day, or of the newest day with one, the number of the last release before it, and
        the rows and labels of the canary.

        Raises:
            DecidedAlready: when the day was decided, and so was a later one.
            CannotMake: when label files have landed and were never made.
        """
        if self._is_past(day):
            if self.tables[DEPLOYMENT].is_committed(day):
                raise DecidedAlready(LATER_DAYS_DECIDED)
            # If the day has a release of its own, a run decided it before the later days and died before it committed.
            if self._release_of_run(day) is None:
                return [LATER_DAYS_DECIDED]
        before = self._live_before(day)
        inputs: list = [[ENTRY, self._entries.fingerprint(day)], ["release", before.number]]
        # A day on which no model is due decides on the model of an earlier day.
        entry_days = [entry_day for entry_day, rows in self._entries.row_counts().items() if rows and entry_day <= day]
        newest = max(entry_days, default=day)
        if newest != day:
            inputs.append([ENTRY, str(newest), self._entries.fingerprint(newest)])
        days = list(self._percents(before, day))
        return [*inputs, *(self._rows.inputs(days, self._labels_through(day), day) if days else [])]

    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        """Decide, and carry out the decision. A release that a dead run already made for the day is not repeated.

        Raises:
            InputChanged: when somebody else released, or decided on the day, in the meantime.
        """
        before, released = self._live_before(day), self._release_of_run(day)
        if released is None and self._is_past(day):
            return self._output(Decision("none", LATER_DAYS_DECIDED, before), None)
        measured, problem = self._measure(before, day)
        if released is not None:
            outcome = cast("Outcome", released.action)
            repeated = Decision(outcome, released.reason, released.after, released.metrics)
            return self._output(repeated, measured, problem, acted=True)
        evidence = measured.evidence if measured else None
        decision = decide(self.spec.deployment.canary, before, self._candidate(before, day), evidence, day)
        if decision.after == before:
            return self._output(decision, measured, problem)
        move = Move(decision.outcome, decision.after, day, self._actor, decision.reason, decision.metrics)
        # The ledger does not show a newer run that decided to change nothing.
        check_not_replaced(day, [self.tables[DEPLOYMENT]], f"{self.spec.name}: the {DEPLOYMENT}")
        try:
            self._release(before, move)
        except LedgerConflict as error:
            raise InputChanged(str(error)) from error
        except ReleaseRefused as error:
            refused = Decision(
                "hold" if before.challenger else "none",
                f"{error}; the decision was: {decision.reason}",
                before,
                decision.metrics,
            )
            return self._output(refused, measured, str(error))
        finally:
            self._moves = None
        return self._output(decision, measured, problem, acted=True)

    def _output(
        self, decision: Decision, measured: "Measured | None", problem: str | None = None, acted: bool = False
    ) -> StageOutput:
        import pyarrow as pa

        schemas = {name: table.schema.remove(0) for name, table in self.tables.items()}
        row = decision_row(decision, measured, self.spec.deployment.canary)
        comparison = schemas[CANARY_COMPARISON].empty_table()
        if measured:
            comparison = pa.Table.from_pandas(measured.comparison, schemas[CANARY_COMPARISON], preserve_index=False)
        tables = {CANARY_COMPARISON: comparison, DEPLOYMENT: pa.Table.from_pylist([row], schema=schemas[DEPLOYMENT])}
        # A release is in the ledger, from which its row can be rebuilt. A decision to change nothing is recorded only
        # here, and after a later release it could not be rebuilt.
        return StageOutput(tables, problem, has_side_effects=acted, needs_immediate_commit=not acted)

    def _is_past(self, day: date) -> bool:
        """Return whether a later day was decided, or has a release."""
        return max([*self.tables[DEPLOYMENT].row_counts(), *(move.day for move in self.moves)], default=day) > day

    def _release_of_run(self, day: date) -> Move | None:
        """Return the release that a run made for a day."""
        return next((move for move in self.moves if move.day == day and move.actor.startswith(RUN)), None)

    def _live_before(self, day: date) -> Release:
        """Return the release that is live before the decision of a day."""
        released = self._release_of_run(day)
        moves = [
            move for move in self.moves if (move.after.number < released.after.number if released else move.day <= day)
        ]
        return moves[-1].after if moves else Release()

    def _labels_through(self, day: date) -> date:
        """Return the last day whose labels are known on a day; never the day itself, whose rows are not scored yet."""
        return day - max(self.spec.label_delay, timedelta(days=1))

    def _percents(self, before: Release, day: date) -> Mapping[date, int | None]:
        """Return the share of entities that the canary was live for, by day since it began: 0 in shadow, None on days
        on which it was not the challenger; empty without a canary.
        """
        canary, since = self.spec.deployment.canary, before.canary_since
        if canary is None or since is None:
            return {}
        # The longest duration of a canary that is not paused.
        first = max(since, day - canary.maximum_days * len(canary.steps))
        releases = [(move.day, move.after) for move in self.moves if move.after.number <= before.number]
        days = (first + timedelta(days=number) for number in range((day - first).days + 1))
        live = {canary_day: live_on(releases, canary_day) for canary_day in days}
        return {
            canary_day: release.percent if release.challenger == before.challenger else None
            for canary_day, release in live.items()
        }

    def _measure(self, before: Release, day: date) -> "tuple[Measured | None, str | None]":
        """Measure the canary; None if there is none. Also return why the champion cannot score, if it cannot."""
        from ml_assets.core.metrics.scored_rows import task_metrics
        from ml_assets.core.release.canary_comparison import measure_canary

        canary, percents, problem, champion = self.spec.deployment.canary, self._percents(before, day), None, None
        if canary is None or before.champion is None or before.challenger is None or before.step_since is None:
            return None, None
        try:
            champion = self._models.scorer(before.champion)
        except CannotScore as error:
            problem = str(error)
        try:
            challenger, cannot = self._models.scorer(before.challenger), None
        except CannotScore as error:
            challenger, cannot = None, str(error)
        through, models = self._labels_through(day), (before.champion.digest, before.challenger.digest)
        rows = self._rows.rows(percents, champion, challenger, models, through, day)
        task, thresholds = task_metrics(self.spec), (threshold_of(challenger), threshold_of(champion))
        seed, since = self.spec.training.seed, before.step_since
        return measure_canary(canary, task, rows, thresholds, since, through, seed, cannot), problem

    def _candidate(self, before: Release, day: date) -> Version | None:
        """Return the version that is next to go live, of a model that had passed its gates by a day."""
        live = [version.day for version in (before.champion, before.challenger) if version is not None]
        newest_live = max(live, default=date.min)
        model_days = [model_day for model_day in self._entries.row_counts() if newest_live < model_day <= day]
        for model_day in sorted(model_days, reverse=True):
            rows = self._entries.read([model_day], ["version", "model_digest", "gates_passed"]).to_pylist()
            passed = [
                Version(int(row["version"]), row["model_digest"], model_day) for row in rows if row["gates_passed"]
            ]
            if candidate := next_candidate(before, passed):
                return candidate
        return None

    def row(self, day: date) -> dict | None:
        """Return the committed row of a day; None if it was not decided."""
        rows = self.tables[DEPLOYMENT].read([day]).to_pylist()
        return rows[0] if rows else None

    def canary_since(self, day: date) -> date | None:
        """Return the first day of the canary that a day decided on."""
        return self._live_before(day).canary_since
