"""The checks of each asset together: their specifications, and their evaluation on some days."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.checks.repeated_day import LOOK_BACK
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks.check import CONTRACT
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.pipeline.asset_names import EVERY_DAY_ACCEPTED
from ml_assets.pipeline.evaluation.gate_checks import (
    add_registry_differences,
    complete_gate_check,
    evaluate_gate_checks,
    gate_checks,
)
from ml_assets.pipeline.evaluation.label_checks import evaluate_label_checks, label_checks
from ml_assets.pipeline.evaluation.score_drift_check import evaluate_score_drift, score_drift_check
from ml_assets.pipeline.validation.acceptance_check import acceptance_check, acceptance_metadata, evaluate_acceptance
from ml_assets.pipeline.validation.contract_checks import contract_check_specs, contract_metadata, evaluate_contract
from ml_assets.pipeline.validation.drift_checks import column_drift_check, evaluate_column_drift, read_profiles_by_day
from ml_assets.pipeline.validation.label_match_check import evaluate_label_matches, label_match_check
from ml_assets.pipeline.validation.repeated_day_check import evaluate_repeated_days, repeated_day_check
from ml_assets.pipeline.validation.volume_checks import data_checks, evaluate_volume

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation
    from ml_assets.pipeline.steps.check_results import CheckRun
    from ml_assets.pipeline.validation.stage import Validation


def validation_checks(spec: ModelSpec, feed: Feed, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the checks of validated_data, or of validated_labels, which has no volume or drift checks."""
    every_feed = [acceptance_check(spec, key), *contract_check_specs(spec, feed, key)]
    if _has_labels_only(feed):
        return [*every_feed, *label_match_check(spec, key)]
    return [*every_feed, *data_checks(spec, key), *repeated_day_check(spec, key), *column_drift_check(spec, key)]


def evaluate_validation_checks(
    spec: ModelSpec, stage: "Validation", days: Sequence[date], key: dg.AssetKey
) -> "Iterator[CheckRun]":
    """Evaluate the checks of validated_data, or of validated_labels, on some days."""
    runs = [evaluate_acceptance(spec, stage, days, key), evaluate_contract(spec, stage, days, key)]
    if not _has_labels_only(stage.feed):
        runs += [evaluate_volume(spec, stage, days, key), _evaluate_profiles(spec, stage, days, key)]
    elif stage.matching is not None:
        runs += [evaluate_label_matches(spec, stage.matching, days, key)]
    return chain(*runs)


def _evaluate_profiles(
    spec: ModelSpec, stage: "Validation", days: Sequence[date], key: dg.AssetKey
) -> "Iterator[CheckRun]":
    """Evaluate the checks that compare the profiles of days, which are read once."""
    drift, repetition = spec.checks.column_drift, spec.checks.no_repeated_day
    reach = max(drift.reference.days if drift else 0, LOOK_BACK if repetition else 0)
    if not reach:
        return
    compared = {day - timedelta(days=back) for day in days for back in range(reach + 1)}
    profiles = read_profiles_by_day(stage.profiles, compared)
    yield from evaluate_repeated_days(spec, stage.feed, profiles, days, key)
    yield from evaluate_column_drift(spec, stage.feed, profiles, days, key)


def validation_metadata(run: "CheckRun") -> Mapping[str, Any]:
    """Build the metadata of a check of validated data over all days of a run, from the outcomes of the days."""
    if run.name == EVERY_DAY_ACCEPTED:
        return acceptance_metadata(run.outcomes)
    return contract_metadata(run.outcomes) if run.name.startswith(CONTRACT) else {}


def evaluation_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the checks of evaluation: gates, labels of the holdout, and drift of scores."""
    return [*gate_checks(spec, key), *label_checks(spec, key), *score_drift_check(spec, key)]


def evaluate_evaluation_checks(
    spec: ModelSpec, stage: "ModelEvaluation", days: Sequence[date], key: dg.AssetKey
) -> "Iterator[CheckRun]":
    """Evaluate the checks of evaluation on some days."""
    return chain(
        evaluate_gate_checks(stage, days, key),
        evaluate_label_checks(spec, stage, days, key),
        evaluate_score_drift(spec, stage, days, key),
    )


def complete_evaluation_checks(
    stage: "ModelEvaluation", days: Sequence[date], evaluated: Sequence[date], runs: "Sequence[CheckRun]"
) -> "list[CheckRun]":
    """Complete the gates over all days of a run, and add how MLflow differs from the release ledger if this run
    evaluated a day.
    """
    gates = {check.name for check in gate_checks(stage.spec, dg.AssetKey(stage.name))}
    with_model = [day for day in days if stage.evaluated_model(day)["model_digest"]]
    is_none_due = all(stage.not_due(day) for day in days)
    evaluated_models = {*evaluated}.intersection(with_model)
    return [
        add_registry_differences(complete_gate_check(run, with_model, days[-1], is_none_due), stage, evaluated_models)
        if run.name in gates
        else run
        for run in runs
    ]


def _has_labels_only(feed: Feed) -> bool:
    return feed.event_time is None
