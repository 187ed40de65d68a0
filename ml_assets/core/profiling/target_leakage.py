"""Target leakage: the predictive power of each single feature, which is nearly perfect if it contains the label."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ml_assets.core.model.target import encode_target
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks.model_checks import TargetLeakageCheck
from ml_assets.core.model_spec.types.task import MULTICLASS, REGRESSION
from ml_assets.core.profiling.profiles import profile_columns
from ml_assets.core.tables.nul_characters import escape_nul
from ml_assets.core.tables.schemas import single_feature_power_schema

Floats = NDArray[np.float64]
MIN_ROWS = 20
"""Minimum number of rows for the rank correlation of a regression, and for a class to be judged by the bounds."""


@dataclass(frozen=True)
class PredictivePower:
    """Predictive power of one feature on the labelled rows of a day.

    roc_auc, average_precision, positives, negatives: for a binary target, or for the class `of_class` against all
    others; both measures are None if a class is missing. rank_correlation: Spearman's, for a regression, over
    `compared_rows`; None if there is nothing to rank.
    """

    roc_auc: float | None = None
    average_precision: float | None = None
    positives: int | None = None
    negatives: int | None = None
    of_class: str | None = None
    rank_correlation: float | None = None
    compared_rows: int | None = None

    @property
    def strength(self) -> float:
        """The measure by which features are ranked; 0 if undefined."""
        return abs(self.rank_correlation or 0.0) or self.average_precision or 0.0

    def has_rows(self, settings: TargetLeakageCheck) -> bool:
        """Return whether there are enough rows to judge from."""
        if self.compared_rows is not None:
            return self.compared_rows >= MIN_ROWS
        return min(self.positives or 0, self.negatives or 0) >= settings.min_positives


def measure_single_features(spec: ModelSpec, features: pd.DataFrame) -> dict[str, PredictivePower]:
    """Measure the predictive power of each feature, from features and labels of a day in their fixed order.

    The result is empty if labels come in files of their own. Numbers are used as scores, ascending and descending, with
    missing values below all others; so is the indicator of missing values. Categories are scored by their share of
    positives on every other row, and evaluated on the rows between. The best average precision of these is used. For
    several classes, it is that of the class that the feature predicts best, among classes with enough rows. For a
    regression, non-missing numbers are ranked by value, and categories by their mean target on every other row.
    """
    if spec.labels is not None:
        return {}
    is_labelled = features[spec.target].notna()
    labelled = features if is_labelled.all() else features[is_labelled]
    targets = encode_target(spec, labelled[spec.target])
    categorical = set(spec.categorical_features())
    measure = {REGRESSION: _measure_amount, MULTICLASS: partial(_measure_classes, spec)}.get(spec.task, _measure_label)
    return {name: measure(labelled[name], targets, name in categorical) for name in spec.feature_names()}


def _measure_label(values: pd.Series, targets: Floats, is_category: bool) -> PredictivePower:
    labels = targets.astype(np.int64)
    candidates = (
        _measure_category(values, labels)
        if is_category
        else _measure_number(values.to_numpy(np.float64, na_value=np.nan), labels)
    )
    best = max((pair for pair in candidates if pair), key=lambda pair: (pair[1], pair[0]), default=(None, None))
    return PredictivePower(*best, int(labels.sum()), int(len(labels) - labels.sum()))


def _measure_classes(spec: ModelSpec, values: pd.Series, targets: Floats, is_category: bool) -> PredictivePower:
    """Measure the class that the feature predicts best, among classes with enough rows for the check."""
    fewest = spec.checks.target_leakage.min_positives if spec.checks.target_leakage else 1
    powers = [
        replace(_measure_label(values, targets == position, is_category), of_class=str(label))
        for position, label in enumerate(spec.classes)
    ]
    enough = [power for power in powers if min(power.positives or 0, power.negatives or 0) >= fewest]
    return max(enough or powers, key=lambda power: (power.average_precision or 0.0, power.roc_auc or 0.0))


def _measure_amount(values: pd.Series, targets: Floats, is_category: bool) -> PredictivePower:
    if is_category:
        codes, _ = pd.factorize(escape_nul(values), use_na_sentinel=False)
        sums, rows = (
            np.bincount(codes[::2], weights, minlength=codes.max(initial=0) + 1) for weights in (targets[::2], None)
        )
        mean = targets[::2].mean() if len(targets) else 0.0
        scores = np.divide(sums, rows, out=np.full(len(rows), mean), where=rows > 0)[codes[1::2]]
        return _rank_correlation(scores, targets[1::2])
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    has_value = ~np.isnan(numbers)
    return _rank_correlation(numbers[has_value], targets[has_value])


def _rank_correlation(scores: Floats, targets: Floats) -> PredictivePower:
    """Measure Spearman's rank correlation, with mean ranks for ties; None if all values are equal."""
    ranks = [pd.Series(values).rank().to_numpy() for values in (scores, targets)]
    if len(targets) < 2 or any(np.ptp(rank) == 0 for rank in ranks):
        return PredictivePower(compared_rows=len(targets))
    return PredictivePower(rank_correlation=float(np.corrcoef(*ranks)[0, 1]), compared_rows=len(targets))


def feature_profiles(spec: ModelSpec, features: pa.Table, frame: pd.DataFrame) -> pa.Table:
    """Profile each feature of a day as a row with `feature_profile_schema`; a day without rows gives no rows.

    `frame` holds the same data as `features`.
    """
    profiles = profile_columns(features.select(spec.feature_names()), spec.source.time_zone)
    power = measure_single_features(spec, frame) if profiles.num_rows else {}
    for field in single_feature_power_schema(spec):
        values = [getattr(power[name], field.name) if name in power else None for name in profiles["name"].to_pylist()]
        profiles = profiles.append_column(field, pa.array(values, field.type))
    return profiles


def _measure_number(values: Floats, labels: NDArray[np.int64]) -> Iterator[tuple[float, float] | None]:
    is_missing = np.isnan(values)
    has_missing = bool(is_missing.any())
    ascending = measure_ranking_power(_rank_missing_lowest(values, is_missing) if has_missing else values, labels)
    yield ascending
    # Without missing values, the descending ROC AUC is 1 minus the ascending one.
    if ascending and (has_missing or ascending[0] < 0.5):
        yield measure_ranking_power(_rank_missing_lowest(-values, is_missing), labels)
    if has_missing:
        yield measure_ranking_power(is_missing.astype(np.float64), labels)


def _rank_missing_lowest(scores: Floats, is_missing: NDArray[np.bool_]) -> Floats:
    # Keep minus infinity distinct from missing values.
    return np.where(is_missing, -np.inf, np.maximum(scores, np.finfo(np.float64).min))


def _measure_category(values: pd.Series, labels: NDArray[np.int64]) -> Iterator[tuple[float, float] | None]:
    codes, _ = pd.factorize(escape_nul(values), use_na_sentinel=False)
    rows, positives = (
        np.bincount(codes[::2], weights, minlength=codes.max(initial=0) + 1) for weights in (None, labels[::2])
    )
    share = labels[::2].mean() if len(labels) else 0.0
    # Categories that do not occur in the scoring rows have the overall share.
    yield measure_ranking_power(
        np.divide(positives, rows, out=np.full(len(rows), share), where=rows > 0)[codes[1::2]], labels[1::2]
    )


def measure_ranking_power(scores: Floats, labels: NDArray[np.int64]) -> tuple[float, float] | None:
    """Compute (ROC AUC, average precision) of scores against labels 0 and 1; None if a class is missing.

    The area under the ROC curve is the share of pairs of a positive and a negative in the right order, ties counted
    half (Mann and Whitney, 1947); average precision is the mean over positives of the precision at their score. Only
    positives are looked up, so this is fast if they are few.
    """
    positives, negatives = int(labels.sum()), int(len(labels) - labels.sum())
    if not positives or not negatives:
        return None
    ordered, ordered_positives = np.sort(scores), np.sort(scores[labels == 1])
    below, through = (np.searchsorted(ordered, ordered_positives, side) for side in ("left", "right"))
    positives_below, positives_through = (
        np.searchsorted(ordered_positives, ordered_positives, side) for side in ("left", "right")
    )
    pairs = ((below - positives_below) + (through - positives_through)).sum() / 2
    precision = (positives - positives_below) / (len(ordered) - below)
    return float(pairs / (positives * negatives)), float(precision.mean())


def is_suspected(power: PredictivePower, settings: TargetLeakageCheck) -> bool:
    """Return whether a single feature reaches both bounds, or for a regression its bound.

    For several classes the best one is judged, and among many pairs of class and feature, a class with few rows reaches
    the bounds by chance. So a class with fewer than `MIN_ROWS` rows is suspected only if the feature separates it
    perfectly.
    """
    if power.rank_correlation is not None:
        return abs(power.rank_correlation) >= settings.rank_correlation
    if power.of_class is not None and (power.positives or 0) < MIN_ROWS and (power.roc_auc or 0) < 1:
        return False
    pairs = ((power.roc_auc, settings.roc_auc), (power.average_precision, settings.average_precision))
    return all(value is not None and value >= bound for value, bound in pairs)
