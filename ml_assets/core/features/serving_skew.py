"""The features of a moment built as they are when a row is scored: from what is known at that moment and nothing
later.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ml_assets.core.features.point_in_time import build_features
from ml_assets.core.model_spec import ModelSpec

MOMENTS = 5


def features_at(spec: ModelSpec, rows_known: pd.DataFrame, history: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """The features of the rows of one moment, as `build_features` gives them, in order of the row key.

    Args:
        spec: the model.
        rows_known: rows of the day of the moment; those after it are left out.
        history: rows of earlier days. Labels that are not known at the moment are blanked here and in `rows_known`:
            those of events later than label_delay before it, where labels are in the rows; where they come in files of
            their own, they are as they counted when the day began.
        moment: tz-aware.
    """
    known = rows_known[rows_known[spec.event_time] <= moment]
    built = build_features(spec, _with_known_labels(spec, known, moment), _with_known_labels(spec, history, moment))
    return built[built[spec.event_time] == moment].reset_index(drop=True)


def moments_of(times: pd.Series, count: int = MOMENTS) -> list[pd.Timestamp]:
    """Up to `count` distinct moments of a day, spread evenly over its rows, the first and the last among them."""
    distinct = times.drop_duplicates().sort_values(ignore_index=True)
    positions = np.unique(np.linspace(0, len(distinct) - 1, count).round().astype(int)) if len(distinct) else []
    return [distinct.iloc[int(position)] for position in positions]


def differences(spec: ModelSpec, committed: pd.DataFrame, scored: pd.DataFrame) -> list[Mapping[str, object]]:
    """Where features of the same rows differ: row key, moment, feature, what is committed and what came out when
    scored. Missing values are equal.
    """
    if len(committed) != len(scored):
        return [{"feature": "rows", "committed": len(committed), "when_scored": len(scored)}]
    found, categorical = [], spec.categorical_features()
    for name in spec.feature_names():
        ours, theirs = (_plain_values(frame[name], name in categorical) for frame in (committed, scored))
        # A function of one's own may add the same numbers in another order.
        differ = (
            ours != theirs if name in categorical else ~np.isclose(ours, theirs, rtol=1e-9, atol=1e-12, equal_nan=True)
        )
        for place in np.flatnonzero(differ):
            key = {column: committed[column].iloc[place] for column in spec.row_key}
            moment = committed[spec.event_time].iloc[place]
            values = {
                "committed": ours[place : place + 1].tolist()[0],
                "when_scored": theirs[place : place + 1].tolist()[0],
            }
            found.append({**_plain(key), "moment": str(moment), "feature": name, **values})
    return found


def _with_known_labels(spec: ModelSpec, frame: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    if spec.labels is not None or spec.target not in frame:
        return frame
    labels = frame[spec.target].astype("boolean" if spec.columns[spec.target].type == "boolean" else "Int64")
    return frame.assign(**{spec.target: labels.where(frame[spec.event_time] <= moment - spec.label_delay)})


def _plain_values(values: pd.Series, is_text: bool) -> np.ndarray:
    return (
        values.astype(object).where(values.notna(), None).to_numpy()
        if is_text
        else values.to_numpy(np.float64, na_value=np.nan)
    )


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value.item() if isinstance(value, np.generic) else str(value) for name, value in values.items()}
