"""Target leakage: the predictive power of each single feature, which is nearly perfect if it contains the label."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ml_assets.core.model.target import encode_target
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks import TargetLeakageCheck
from ml_assets.core.model_spec.types.task import MULTICLASS, REGRESSION
from ml_assets.core.profiling.profiles import profile_columns
from ml_assets.core.tables.nul_characters import escape_nul
from ml_assets.core.tables.schemas import SINGLE_FEATURE_POWER_SCHEMA

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PredictivePower:
    """ROC AUC and average precision of one feature on the labelled rows of a day, and the rows of each class.

    Both measures are None if a class is missing.
    """

    roc_auc: float | None
    average_precision: float | None
    positives: int
    negatives: int


def measure_single_features(spec: ModelSpec, features: pd.DataFrame) -> dict[str, PredictivePower]:
    """Measure the predictive power of each feature, from features and labels of a day in their fixed order.

    The result is empty if labels come in files of their own. Numbers are used as scores, ascending and descending, with
    missing values below all others; so is the indicator of missing values. Categories are scored by their share of
    positives on every other row, and evaluated on the rows between. The best average precision of these counts.

    With several classes each class counts as positive against all others, and the best one counts; in a regression the
    targets above the median are the positives, so that a feature in the order of the target has both measures 1.
    """
    if spec.labels is not None:
        return {}
    is_labelled = features[spec.target].notna()
    labelled = features if is_labelled.all() else features[is_labelled]
    label_sets = _binary_labels(spec, labelled[spec.target])
    categorical = spec.categorical_features()
    powers = {}
    for name in spec.feature_names():
        values = labelled[name]
        numbers = None if name in categorical else values.to_numpy(np.float64, na_value=np.nan)
        measured = []
        for labels in label_sets:
            candidates = _measure_category(values, labels) if numbers is None else _measure_number(numbers, labels)
            best = max((pair for pair in candidates if pair), key=lambda pair: (pair[1], pair[0]), default=(None, None))
            measured.append(PredictivePower(*best, int(labels.sum()), int(len(labels) - labels.sum())))
        powers[name] = max(measured, key=lambda power: power.average_precision or 0.0)
    return powers


def _binary_labels(spec: ModelSpec, target: pd.Series) -> list[NDArray[np.int64]]:
    """Return the labels 0 and 1 that the features are measured against, one array for each class of several."""
    encoded = encode_target(spec, target)
    if spec.task == MULTICLASS:
        return [(encoded == position).astype(np.int64) for position in range(len(spec.classes))]
    if spec.task == REGRESSION:
        return [(encoded > (np.median(encoded) if len(encoded) else 0.0)).astype(np.int64)]
    return [encoded.astype(np.int64)]


def feature_profiles(spec: ModelSpec, features: pa.Table, frame: pd.DataFrame) -> pa.Table:
    """Profile each feature of a day, as a row with FEATURE_PROFILE_SCHEMA; no rows for a day without rows.

    `frame` holds the same data as `features`.
    """
    profiles = profile_columns(features.select(spec.feature_names()), spec.source.time_zone)
    power = measure_single_features(spec, frame) if profiles.num_rows else {}
    for field in SINGLE_FEATURE_POWER_SCHEMA:
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
    # Minus infinity must stay distinct from missing values.
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
    positives are searched, so few positives are fast.
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
    """Return whether a single feature reaches both bounds."""
    pairs = ((power.roc_auc, settings.roc_auc), (power.average_precision, settings.average_precision))
    return all(value is not None and value >= bound for value, bound in pairs)
