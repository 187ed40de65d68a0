"""How well each feature tells the label by itself: one that tells it nearly always looks like the label in another
form.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks import TargetLeakageCheck
from ml_assets.core.profiling.profiles import profile_columns
from ml_assets.core.tables.schemas import SINGLE_FEATURE_POWER_SCHEMA

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Power:
    """ROC AUC and average precision of one feature alone on the labelled rows of a day, None where a class is missing;
    and the rows of each class.
    """

    roc_auc: float | None
    average_precision: float | None
    positives: int
    negatives: int


def single_feature_power(spec: ModelSpec, features: pd.DataFrame) -> dict[str, Power]:
    """The power of each feature, from features and labels of a day in their fixed order; empty where labels come in
    files of their own.

    Numbers are taken as scores, upwards and downwards, with missing values below all others; so is whether they are
    missing. Categories are scored by their share of positives on every other row, and judged on the rows between. Of
    these the one with the best average precision counts.
    """
    if spec.labels is not None:
        return {}
    labelled = features[features[spec.target].notna()]
    labels = labelled[spec.target].to_numpy(np.int64)
    categorical = spec.categorical_features()
    found = {}
    for name in spec.feature_names():
        values = labelled[name]
        powers = (
            _of_category(values, labels)
            if name in categorical
            else _of_number(values.to_numpy(np.float64, na_value=np.nan), labels)
        )
        best = max((power for power in powers if power), key=lambda power: (power[1], power[0]), default=(None, None))
        found[name] = Power(*best, int(labels.sum()), int(len(labels) - labels.sum()))
    return found


def feature_profiles(spec: ModelSpec, features: pa.Table, frame: pd.DataFrame) -> pa.Table:
    """Rows with FEATURE_PROFILE for each feature of a day; `frame` holds the same as `features`. No rows for a day
    without rows.
    """
    profiles = profile_columns(features.select(spec.feature_names()), spec.source.time_zone)
    power = single_feature_power(spec, frame) if profiles.num_rows else {}
    for field in SINGLE_FEATURE_POWER_SCHEMA:
        values = [getattr(power[name], field.name) if name in power else None for name in profiles["name"].to_pylist()]
        profiles = profiles.append_column(field, pa.array(values, field.type))
    return profiles


def _of_number(values: Floats, labels: NDArray[np.int64]) -> Iterator[tuple[float, float] | None]:
    missing = np.isnan(values)
    some_missing = bool(missing.any())
    upwards = ranking_power(_with_missing_lowest(values, missing) if some_missing else values, labels)
    yield upwards
    # Downwards the area is what upwards it lacks of 1, unless values are missing.
    if upwards and (some_missing or upwards[0] < 0.5):
        yield ranking_power(_with_missing_lowest(-values, missing), labels)
    if some_missing:
        yield ranking_power(missing.astype(np.float64), labels)


def _with_missing_lowest(scores: Floats, missing: NDArray[np.bool_]) -> Floats:
    # Minus infinity is kept apart from what is missing.
    return np.where(missing, -np.inf, np.maximum(scores, np.finfo(np.float64).min))


def _of_category(values: pd.Series, labels: NDArray[np.int64]) -> Iterator[tuple[float, float] | None]:
    codes, _ = pd.factorize(values, use_na_sentinel=False)
    rows, positives = (
        np.bincount(codes[::2], weights, minlength=codes.max(initial=0) + 1) for weights in (None, labels[::2])
    )
    share = labels[::2].mean() if len(labels) else 0.0
    # Categories that were not among the rows they are scored on have the share of all.
    yield ranking_power(
        np.divide(positives, rows, out=np.full(len(rows), share), where=rows > 0)[codes[1::2]], labels[1::2]
    )


def ranking_power(scores: Floats, labels: NDArray[np.int64]) -> tuple[float, float] | None:
    """(ROC AUC, average precision) of scores against labels 0 and 1; None where a class is missing.

    The area under the ROC curve is the share of pairs of a positive and a negative that are in the right order, ties
    counted half (Mann and Whitney, 1947); average precision is the mean over positives of the precision at their score.
    Only the positives are looked up, so few cost little.
    """
    positives, negatives = int(labels.sum()), int(len(labels) - labels.sum())
    if not positives or not negatives:
        return None
    ordered, ordered_positives = np.sort(scores), np.sort(scores[labels == 1])
    below, up_to = (np.searchsorted(ordered, ordered_positives, side) for side in ("left", "right"))
    found, found_up_to = (np.searchsorted(ordered_positives, ordered_positives, side) for side in ("left", "right"))
    pairs = ((below - found) + (up_to - found_up_to)).sum() / 2
    precision = (positives - found) / (len(ordered) - below)
    return float(pairs / (positives * negatives)), float(precision.mean())


def is_suspected(power: Power, settings: TargetLeakageCheck) -> bool:
    """Whether a feature alone reaches both bounds."""
    reached = ((power.roc_auc, settings.roc_auc), (power.average_precision, settings.average_precision))
    return all(figure is not None and figure >= bound for figure, bound in reached)
