"""The gate between data and models: no model is made of a day while a blocking check of its data fails."""

from collections.abc import Iterator
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import EVERY_DAY_ACCEPTED
from ml_assets.pipeline.engine.stage import KeepDay

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation
    from ml_assets.pipeline.features.stage import FeatureEngineering
    from ml_assets.pipeline.steps.check_results import CheckRun
    from ml_assets.pipeline.validation.stage import Validation


class DataGate:
    """Evaluates the blocking checks of validated_data and features, one day at a time.

    In a run of one day Dagster itself stops before the model. The gate also keeps the day out of runs over many days,
    and of runs of the model alone.
    """

    def __init__(self, spec: ModelSpec, validation: "Validation", features: "FeatureEngineering"):
        """Take the stages whose checks count."""
        self._spec = _blocking_only(spec)
        self._is_on = any(column.blocking for column in spec.columns.values()) or any(
            check.blocking for _, check in spec.checks.enabled()
        )
        self._stages = (validation, features)

    @property
    def is_on(self) -> bool:
        """True if the specification has blocking checks of data."""
        return self._is_on

    def refresh(self) -> None:
        """Forget what is known of the data."""
        for stage in self._stages if self._is_on else ():
            stage.refresh()
            for table in stage.tables.values():
                table.refresh()

    def reason(self, day: date) -> str | None:
        """Name the blocking checks of the data of a day that fail with an error, and why; None when none does."""
        return self._failures(self._evaluate_data(day))

    def reason_of_evaluation(self, evaluation: "ModelEvaluation", day: date) -> str | None:
        """Do the same for the evaluation of a day that has a model, without its gates."""
        from ml_assets.pipeline.evaluation.label_checks import evaluate_label_checks
        from ml_assets.pipeline.evaluation.score_drift_check import evaluate_score_drift

        if not self._is_on:
            return None
        key = dg.AssetKey([self._spec.name, evaluation.name])
        return self._failures(
            chain(
                evaluate_label_checks(self._spec, evaluation, [day], key),
                evaluate_score_drift(self._spec, evaluation, [day], key),
            )
        )

    def _failures(self, runs: "Iterator[CheckRun]") -> str | None:
        outcomes = (outcome for run in runs if self._is_blocking(run) for outcome in run.outcomes)
        failed = [outcome for outcome in outcomes if outcome.failed and outcome.severity == "error"]
        return "; ".join(f"{outcome.check}: {outcome.reason}" for outcome in failed) or None

    def hold(self, day: date) -> None:
        """Let the day pass, unless a blocking check of it fails.

        Raises:
            KeepDay: when one does; names the check, the reason and the remedy.
        """
        if reason := self.reason(day):
            raise KeepDay(
                f"no model is made of the day while a blocking check of its data fails; {reason}. "
                "Repair the day, or accept it in checks.accepted"
            )

    def _evaluate_data(self, day: date) -> "Iterator[CheckRun]":
        if not self._is_on:
            return iter(())
        from ml_assets.pipeline.features.checks import evaluate_feature_checks
        from ml_assets.pipeline.graph.checks import evaluate_validation_checks

        validation, features = self._stages
        return chain(
            evaluate_validation_checks(self._spec, validation, [day], dg.AssetKey([self._spec.name, validation.name])),
            evaluate_feature_checks(self._spec, features, [day], dg.AssetKey([self._spec.name, features.name])),
        )

    def _is_blocking(self, run: "CheckRun") -> bool:
        from ml_assets.core.model_spec.checks import contract_check_name

        columns = {contract_check_name(name) for name, column in self._spec.columns.items() if column.blocking}
        return run.name in columns or any(
            name == run.name and check.blocking for name, check in self._spec.checks.enabled()
        )


def _blocking_only(spec: ModelSpec) -> ModelSpec:
    """Switch all other checks off, so that nothing is read for them."""
    off = {name: None for name, check in spec.checks.enabled() if not check.blocking and name != EVERY_DAY_ACCEPTED}
    return spec.model_copy(update={"checks": spec.checks.model_copy(update=off)})
