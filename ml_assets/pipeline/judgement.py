"""All checks of an asset together: which there are, and what they find on some days."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.spec import ModelSpec
from ml_assets.core.spec.feed import Feed
from ml_assets.pipeline.checks import every_day_accepted, judge_days
from ml_assets.pipeline.contract_checks import contract_check_specs, judge_contract
from ml_assets.pipeline.data_checks import data_checks, judge_data
from ml_assets.pipeline.drift_checks import column_drift_check, judge_column_drift
from ml_assets.pipeline.gate_checks import gate_checks, judge_gates
from ml_assets.pipeline.label_checks import judge_labels, label_checks
from ml_assets.pipeline.score_profiles import judge_score_drift, score_drift_check

if TYPE_CHECKING:
    from ml_assets.pipeline.check_results import Judged
    from ml_assets.pipeline.evaluation import ModelEvaluation
    from ml_assets.pipeline.validation import Validation


def validation_checks(spec: ModelSpec, feed: Feed, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of validated_data, or of validated_labels, which have those of the contract only."""
    of_rows = [] if _is_of_labels(feed) else [*data_checks(spec, key), *column_drift_check(spec, key)]
    return [every_day_accepted(spec, key), *contract_check_specs(spec, feed, key), *of_rows]


def judge_validation(spec: ModelSpec, stage: "Validation", days: Sequence[date], key: dg.AssetKey) -> "Iterator[Judged]":
    """What the checks of validated_data, or of validated_labels, find on some days."""
    found = [judge_days(spec, stage, days, key), judge_contract(spec, stage, days, key)]
    if not _is_of_labels(stage.feed):
        found += [judge_data(spec, stage, days, key), judge_column_drift(spec, stage, days, key)]
    return chain(*found)


def evaluation_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of evaluation: gates, labels of the holdout, and drift of scores."""
    return [*gate_checks(spec, key), *label_checks(spec, key), *score_drift_check(spec, key)]


def judge_evaluation(spec: ModelSpec, stage: "ModelEvaluation", days: Sequence[date], key: dg.AssetKey) -> "Iterator[Judged]":
    """What the checks of evaluation find on some days."""
    return chain(judge_gates(stage, days, key), judge_labels(spec, stage, days, key), judge_score_drift(spec, stage, days, key))


def _is_of_labels(feed: Feed) -> bool:
    return feed.event_time is None
