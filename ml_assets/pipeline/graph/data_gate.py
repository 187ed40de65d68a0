"""The gate between data and models: no model of a day is trained while a blocking check of its data fails."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import EVERY_DAY_ACCEPTED, LABEL_MATCH, LABELS, asset_key
from ml_assets.pipeline.engine.stage import KeepDay

if TYPE_CHECKING:
    from ml_assets.core.checks.outcome import CheckOutcome
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation
    from ml_assets.pipeline.features.stage import FeatureEngineering
    from ml_assets.pipeline.steps.check_results import CheckRun
    from ml_assets.pipeline.validation.stage import Validation


MAX_REASONS = 3


class DataGate:
    """Evaluates the blocking checks of validated_data and features, one day at a time.

    In a run of one day Dagster itself stops before the model. The gate also keeps the day out of runs over many days,
    and of runs of the model alone.
    """

    def __init__(
        self,
        spec: ModelSpec,
        validation: "Validation",
        features: "FeatureEngineering",
        label_validation: "Validation | None" = None,
    ):
        """Take the stages whose checks count; `label_validation` only if labels come in files of their own."""
        self._spec = _blocking_only(spec)
        self._is_on = any(column.blocking for column in spec.columns.values()) or any(
            check.blocking for _, check in spec.checks.enabled()
        )
        self._validation = validation
        self._features = features
        self._matching = label_validation.matching if label_validation else None

    @property
    def is_on(self) -> bool:
        """True if the specification has blocking checks of data."""
        return self._is_on

    def refresh(self) -> None:
        """Forget cached results."""
        for stage in (self._validation, self._features) if self._is_on else ():
            stage.refresh()
            for table in stage.tables.values():
                table.refresh()
        if self._is_on and self._matching:
            self._matching.refresh()

    def reason(self, day: date) -> str | None:
        """Name the blocking checks of the data of a day that fail with an error, and why; None if none fails."""
        return self._failures(self._evaluate_data(day))

    def reason_of_evaluation(self, evaluation: "ModelEvaluation", day: date) -> str | None:
        """Name the failing blocking checks of the evaluation of a day that has a model, except its gates; None if none
        fails.
        """
        from ml_assets.pipeline.evaluation.label_checks import evaluate_label_checks
        from ml_assets.pipeline.evaluation.score_drift_check import evaluate_score_drift

        if not self._is_on:
            return None
        key = asset_key(self._spec, evaluation.name)
        return self._failures(
            chain(
                evaluate_label_checks(self._spec, evaluation, [day], key),
                evaluate_score_drift(self._spec, evaluation, [day], key),
            )
        )

    def _failures(self, runs: "Iterator[CheckRun]") -> str | None:
        outcomes = (outcome for run in runs if self._is_blocking(run) for outcome in run.outcomes)
        failed = [outcome for outcome in outcomes if outcome.failed and outcome.severity == "error"]
        reasons = [f"{outcome.check}{_of_delivery(outcome)}: {outcome.reason}" for outcome in failed]
        more = [f"and {len(reasons) - MAX_REASONS} more"] if len(reasons) > MAX_REASONS else []
        return "; ".join([*reasons[:MAX_REASONS], *more]) or None

    def hold(self, day: date) -> None:
        """Check that no blocking check of the day fails.

        Raises:
            KeepDay: when one fails; names the check, the reason and the remedy.
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

        validation, features = self._validation, self._features
        return chain(
            evaluate_validation_checks(self._spec, validation, [day], asset_key(self._spec, validation.name)),
            evaluate_feature_checks(self._spec, features, [day], asset_key(self._spec, features.name), day),
            self._evaluate_labels(day),
        )

    def _evaluate_labels(self, day: date) -> "Iterator[CheckRun]":
        """Evaluate label matching for all deliveries of labels that a model of the day may read."""
        from ml_assets.core.training.time_split import HistoryTooShort, split_days
        from ml_assets.pipeline.validation.label_match_check import evaluate_label_matches

        if self._matching is None or self._spec.checks.label_match is None:
            return iter(())
        try:
            first = split_days(self._spec, day).first
        except HistoryTooShort:
            first = day
        deliveries = [first + timedelta(days=number) for number in range((day - first).days + 1)]
        return evaluate_label_matches(self._spec, self._matching, deliveries, asset_key(self._spec, LABELS))

    def _is_blocking(self, run: "CheckRun") -> bool:
        from ml_assets.core.model_spec.checks.check import contract_check_name

        columns = {contract_check_name(name) for name, column in self._spec.columns.items() if column.blocking}
        return run.name in columns or any(
            name == run.name and check.blocking for name, check in self._spec.checks.enabled()
        )


def _of_delivery(outcome: "CheckOutcome") -> str:
    # A model reads labels of many deliveries.
    return f" of the labels delivered on {outcome.day}" if outcome.check == LABEL_MATCH else ""


def _blocking_only(spec: ModelSpec) -> ModelSpec:
    """Return the specification with all other checks switched off, so that nothing is read for them."""
    off = {name: None for name, check in spec.checks.enabled() if not check.blocking and name != EVERY_DAY_ACCEPTED}
    return spec.model_copy(update={"checks": spec.checks.model_copy(update=off)})
