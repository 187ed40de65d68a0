"""Training-serving skew: features rebuilt from the data known at one moment, compared with the committed ones."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ml_assets.core.features.point_in_time import build_features
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import CustomFeatures, WindowAggregate
from ml_assets.core.tables.nul_characters import escape_nul
from ml_assets.core.tables.schemas import target_dtype

MOMENTS = 5


def build_features_at(
    spec: ModelSpec, rows_known: pd.DataFrame, history: pd.DataFrame, moment: pd.Timestamp
) -> pd.DataFrame:
    """Build the features of the rows at one moment with `build_features`, in order of the row key.

    Args:
        spec: the model.
        rows_known: rows of the day of the moment; later rows are left out.
        history: rows of earlier days. If labels are in the rows, labels of events later than label_delay before the
            moment are removed here and in `rows_known`, because they are not known yet. If labels come in files of
            their own, they are the labels in effect when the day began.
        moment: the moment, tz-aware.
    """
    known = rows_known[rows_known[spec.event_time] <= moment]
    built = build_features(spec, _with_known_labels(spec, known, moment), _with_known_labels(spec, history, moment))
    return built[built[spec.event_time] == moment].reset_index(drop=True)


def visible_rows(
    spec: ModelSpec, frame: pd.DataFrame, moments: Sequence[pd.Timestamp], keys: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows of a frame that are in the windows of the rows at some moments, and these rows themselves.

    These are all rows if a window has no key, or a custom function sees the rows.

    Args:
        spec: the model.
        frame: rows of the day or of earlier days.
        moments: the moments, tz-aware.
        keys: the rows at these moments.
    """
    windows = [feature for feature in spec.features if isinstance(feature, WindowAggregate)]
    if any(isinstance(feature, CustomFeatures) for feature in spec.features) or not all(f.key for f in windows):
        return frame
    is_visible = frame[spec.event_time].isin(list(moments)).to_numpy()
    for name in dict.fromkeys(feature.key[0] for feature in windows):
        is_visible |= escape_nul(frame[name]).isin(escape_nul(keys[name])).to_numpy()
    return frame[is_visible].reset_index(drop=True)


def sample_moments(times: pd.Series, count: int = MOMENTS) -> list[pd.Timestamp]:
    """Return up to `count` distinct moments of a day, spread evenly over its rows, including the first and the last."""
    distinct = times.drop_duplicates().sort_values(ignore_index=True)
    positions = np.unique(np.linspace(0, len(distinct) - 1, count).round().astype(int)) if len(distinct) else []
    return [distinct.iloc[int(position)] for position in positions]


def compare_features(spec: ModelSpec, committed: pd.DataFrame, scored: pd.DataFrame) -> list[Mapping[str, object]]:
    """List the differences between the committed features and the features at scoring time of the same rows.

    Each difference has the row key, the moment, the feature and both values. Missing values are equal.
    """
    if len(committed) != len(scored):
        return [{"feature": "rows", "committed": len(committed), "when_scored": len(scored)}]
    differences, categorical = [], spec.categorical_features()
    for name in spec.feature_names():
        in_training, in_serving = (_plain_values(frame[name], name in categorical) for frame in (committed, scored))
        # A custom function may add the same numbers in another order.
        is_different = (
            in_training != in_serving
            if name in categorical
            else ~np.isclose(in_training, in_serving, rtol=1e-9, atol=1e-12, equal_nan=True)
        )
        for position in np.flatnonzero(is_different):
            key = {column: committed[column].iloc[position] for column in spec.row_key}
            moment = committed[spec.event_time].iloc[position]
            values = {
                "committed": in_training[position : position + 1].tolist()[0],
                "when_scored": in_serving[position : position + 1].tolist()[0],
            }
            differences.append({**_plain(key), "moment": str(moment), "feature": name, **values})
    return differences


def _with_known_labels(spec: ModelSpec, frame: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    if spec.labels is not None or spec.target not in frame:
        return frame
    labels = frame[spec.target].astype(target_dtype(spec))
    return frame.assign(**{spec.target: labels.where(frame[spec.event_time] <= moment - spec.label_delay)})


def _plain_values(values: pd.Series, is_text: bool) -> np.ndarray:
    return (
        values.astype(object).where(values.notna(), None).to_numpy()
        if is_text
        else values.to_numpy(np.float64, na_value=np.nan)
    )


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value.item() if isinstance(value, np.generic) else str(value) for name, value in values.items()}
