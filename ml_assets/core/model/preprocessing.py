"""Fitting of scalers and encodings on training days, one day at a time."""

import json
from collections import Counter

import numpy as np
import pandas as pd

from ml_assets.core.model.scorer import numbers, texts
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS, REGRESSION

# The square of a larger value, or the difference of two, is too close to the end of the range of doubles. Such values
# count as missing when a scaler is fitted; after scaling they are too large for float32, and therefore also missing for
# the model.
LARGEST_VALUE = 1e140


class PreprocessingFit:
    """Preprocessing fitted on the days added so far; only the current day is held in memory.

    Categories, counts and minmax depend neither on the order of the rows nor on their split into days. Means and
    standard deviations depend on them in their last digits (by a relative 1e-9 at most), but the same days in the same
    order give the same bytes.
    """

    def __init__(self, spec: ModelSpec):
        self._spec = spec
        self._encode = {
            name: spec.training.preprocessing.encode.get(name, "native") for name in spec.categorical_features()
        }
        self._scalers = {name: _scaler(kind) for name, kind in spec.training.preprocessing.scale.items()}
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in self._encode}
        self._rows = 0

    def add(self, frame: pd.DataFrame) -> None:
        """Fit on the rows of one day, which may be empty.

        Raises:
            ValueError: a feature holds values of another kind; the message names the feature.
        """
        self._rows += len(frame)
        for name, counts in self._counts.items():
            counts.update(texts(frame[name]).value_counts(sort=False).to_dict())
        for name, scaler in self._scalers.items():
            values = numbers(frame[name])
            # Without values, scalers would divide by 0.
            if len(values := values[np.abs(values) <= LARGEST_VALUE]):
                scaler.partial_fit(values[:, None])

    def fitted(self) -> dict:
        """Return a JSON-able copy of the preprocessing fitted so far, in the format of `Scorer`, without a
        threshold."""
        features = [self._feature(name) for name in self._spec.feature_names()]
        return {"target": self._spec.target, "features": features, **_predictions(self._spec)}

    def _feature(self, name: str) -> dict:
        if name not in self._encode:
            return {"name": name, "kind": "number", **(_scale(self._scalers[name]) if name in self._scalers else {})}
        categories = sorted(self._counts[name])
        feature = {"name": name, "kind": self._encode[name], "categories": categories}
        if feature["kind"] == "frequency":
            feature["shares"] = [self._counts[name][category] / self._rows for category in categories]
        return feature


def to_bytes(preprocessing: dict) -> bytes:
    """Serialize as canonical JSON, so that equal preprocessing gives equal bytes.

    Keys are sorted, floats have the shortest notation that round-trips, and the encoding is UTF-8.

    Raises:
        ValueError: the preprocessing holds NaN or infinity, which JSON does not have.
    """
    return (json.dumps(preprocessing, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _predictions(spec: ModelSpec) -> dict[str, object]:
    """Return the settings from which the scorer of a regression or multiclass model names its predictions; empty for
    binary models."""
    outputs = spec.outputs
    if outputs.task == BINARY:
        return {}
    if outputs.task == MULTICLASS:
        return {"task": MULTICLASS, "predictions": list(outputs.values), "classes": list(outputs.classes)}
    quantiles = {"quantiles": list(outputs.quantiles), "central": outputs.central} if outputs.quantiles else {}
    return {"task": REGRESSION, "predictions": list(outputs.values), **quantiles}


def _scaler(kind: str):
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    return StandardScaler() if kind == "standard" else MinMaxScaler()


def _scale(scaler) -> dict[str, float]:
    """Return shift and divisor of the scaling (x - shift) / divisor, as in scikit-learn.

    The divisor is 1 for constant features; a feature without any value is not scaled.
    """
    if not hasattr(scaler, "scale_"):
        return {}
    if hasattr(scaler, "mean_"):
        return {"shift": float(scaler.mean_[0]), "divisor": float(scaler.scale_[0])}
    return {"shift": float(scaler.data_min_[0]), "divisor": float(scaler.data_range_[0]) or 1.0}
