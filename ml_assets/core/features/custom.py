"""Custom features: calls of user functions with the data known at the time, and validation of their results."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from ml_assets.core.features.exact_sums import Floats
from ml_assets.core.features.key_index import microseconds, sorted_order
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import CustomFeatures
from ml_assets.core.tables.schemas import target_dtype

_NULLABLE = {"integer": "Int64", "boolean": "boolean"}


def custom_features(
    spec: ModelSpec, feature: CustomFeatures, rows: pd.DataFrame, history: pd.DataFrame, day: pd.Timestamp
) -> dict[str, Floats]:
    """Call the function of `feature` and return its columns, one value for each row of `rows`.

    The function receives copies: `rows`, sorted by event time and row key, without any label; and the rows of `history`
    with time in (day - reads, day), sorted in the same way, with the labels that are known when the day begins: labels
    of events up to day - label_delay or, if labels come in files of their own, the labels in `history`. Columns with
    `known_after` are treated like labels.

    Args:
        spec: the model.
        feature: the function, its outputs and how far back it reads.
        rows: rows of the day.
        history: rows of earlier days.
        day: the moment when the day begins.

    Raises:
        ValueError: the function does not exist, or its result is not a frame of numbers with the declared columns and
            the index of `rows`. Infinite numbers are allowed: the check no_infinities names them, and a model treats
            them as missing. An exception in the function itself is passed on, with a note that names the function.
    """
    where = f"features of {spec.name}: custom function {feature.function}"
    function = _load(where, feature.function)
    visible = history[history[spec.event_time] > day - feature.reads] if len(history) else rows.iloc[:0]
    visible = visible.take(
        sorted_order(visible[spec.row_key], first=microseconds(visible[spec.event_time]))
    ).reset_index(drop=True)
    try:
        result = function(_hide_late_values(spec, rows, None), _hide_late_values(spec, visible, day))
    except Exception as error:
        error.add_note(f"{where} failed on the day that begins at {day}")
        raise
    if not isinstance(result, pd.DataFrame):
        raise ValueError(f"{where} returned a {type(result).__name__}, not a pandas DataFrame")
    if sorted(map(str, result.columns)) != sorted(feature.outputs):
        raise ValueError(
            f"{where} returned the columns {', '.join(map(str, result.columns))},"
            f" but its outputs are {', '.join(feature.outputs)}"
        )
    if not result.index.equals(rows.index):
        raise ValueError(
            f"{where} returned another index than that of rows; return one row for each row of rows, with its index"
        )
    return {name: _to_floats(where, name, result[name]) for name in feature.outputs}


def _load(where: str, path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"{where} cannot be imported ({error}); install the module where the pipeline runs, and check the spelling"
        ) from error


def _hide_late_values(spec: ModelSpec, frame: pd.DataFrame, day: pd.Timestamp | None) -> pd.DataFrame:
    """Copy the frame, with nullable types, without labels and other late values that are unknown when the day begins
    (day None: without any late values).
    """
    late = spec.late_columns()
    if spec.labels is not None:
        # The labels are already those as of the beginning of the day.
        late[spec.target] = timedelta(0)
    hidden = {}
    for name, delay in late.items():
        dtype = target_dtype(spec) if name == spec.target else _NULLABLE.get(spec.columns[name].type, frame[name].dtype)
        values = frame[name].astype(dtype)
        is_known = frame[spec.event_time] <= day - delay if day is not None else pd.Series(False, index=frame.index)
        hidden[name] = values.where(is_known)
    return frame[list(spec.columns)].assign(**hidden)


def _to_floats(where: str, name: str, values: pd.Series) -> Floats:
    if not pd.api.types.is_numeric_dtype(values):
        raise ValueError(f"{where} returned {name} as {values.dtype}; features are numbers")
    return values.to_numpy(dtype=np.float64, na_value=np.nan)
