"""Encoding of the target: the values of its column as the numbers that training and metrics use."""

import numpy as np
import pandas as pd

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS


def encode_target(spec: ModelSpec, values: pd.Series) -> np.ndarray:
    """Encode a column of targets as float64 of shape (rows,), NaN where the target is missing.

    Binary: 1 for the positive label, 0 for the other. Multiclass: the position of the class in `classes`. Regression:
    the value itself.

    Args:
        spec: the model.
        values: the target as landed.

    Raises:
        ValueError: a label is not a class, or a target is not a finite number; names the column and one of the values.
    """
    if spec.task == MULTICLASS:
        return _encode_labels(spec, values, list(spec.classes))
    if spec.task == BINARY and spec.positive is not None:
        return _encode_labels(spec, values, [negative_label(spec), spec.positive])
    numbers = np.asarray(values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan))
    wrong = ~np.isin(numbers, (0, 1)) if spec.task == BINARY else np.isinf(numbers)
    if (bad := wrong & ~np.isnan(numbers)).any():
        allowed = "0 or 1" if spec.task == BINARY else "finite"
        raise ValueError(f"the target {spec.target} must be {allowed} in every labelled row, not {numbers[bad][0]:g}")
    return numbers


def negative_label(spec: ModelSpec) -> object:
    """Return the label of the negative class of a binary target, as in its column."""
    column = spec.columns[spec.target]
    if spec.positive is None:
        return False if column.type == "boolean" else 0
    return next(label for label in column.allowed or (False, True) if label != spec.positive)


def _encode_labels(spec: ModelSpec, values: pd.Series, labels: list) -> np.ndarray:
    plain = values.astype(object).where(values.notna(), None)
    codes = pd.Index(labels, dtype=object).get_indexer(pd.Index(plain, dtype=object)).astype(np.float64)
    is_missing = values.isna().to_numpy()
    if (unknown := (codes < 0) & ~is_missing).any():
        raise ValueError(
            f"the target {spec.target} must be one of {', '.join(map(str, labels))}, not {plain[unknown].iloc[0]!r}"
        )
    codes[is_missing] = np.nan
    return codes
