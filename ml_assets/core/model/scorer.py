"""Scores of rows of features, from a model's two files alone: this file is shipped inside the model, so it imports
nothing of the project.
"""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd


class Scorer:
    """A trained model: XGBoost's booster and the preprocessing that was fitted with it.

    Args:
        model: the booster in XGBoost's UBJSON format.
        preprocessing: what `preprocessing.json` holds: `features`, a list with for each feature its `name` and `kind`
            (number, or the encoding of a categorical feature) and what that kind needs; `target`; `threshold`.

    Raises:
        ValueError: when the model cannot be read, or has other columns than the preprocessing makes.
    """

    def __init__(self, model: bytes, preprocessing: Mapping):
        import xgboost as xgb

        self._preprocessing = preprocessing
        try:
            self._booster = xgb.Booster(model_file=bytearray(model))
        except xgb.core.XGBoostError as error:
            raise ValueError(
                f"the model's {len(model)} bytes are not a booster that this XGBoost ({xgb.__version__}) can read"
            ) from error
        made = sum(width(feature) for feature in preprocessing["features"])
        if made != self._booster.num_features():
            raise ValueError(
                f"the model takes {self._booster.num_features()} columns, the preprocessing makes {made}: they are not of one training"
            )

    @classmethod
    def from_bytes(cls, model: bytes, preprocessing: bytes) -> "Scorer":
        """A scorer from the contents of `model.ubj` and `preprocessing.json`; see the class for the errors."""
        return cls(model, json.loads(preprocessing))

    @classmethod
    def from_files(cls, model_path: str, preprocessing_path: str) -> "Scorer":
        """A scorer from the files `model.ubj` and `preprocessing.json`; see the class for the errors."""
        with open(model_path, "rb") as model, open(preprocessing_path, "rb") as preprocessing:
            return cls.from_bytes(model.read(), preprocessing.read())

    @property
    def preprocessing(self) -> Mapping:
        """What `preprocessing.json` holds."""
        return self._preprocessing

    @property
    def features(self) -> list[str]:
        """Names of the features that a frame must have, in the order of the specification."""
        return [feature["name"] for feature in self._preprocessing["features"]]

    @property
    def threshold(self) -> float:
        """The score from which a row is decided positive."""
        return self._preprocessing["threshold"]

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """The float32 matrix that XGBoost sees, see `to_matrix`."""
        return to_matrix(self._preprocessing, frame)

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        """Probability of the positive class, float64 of shape (rows,), in the order of the rows.

        A row's score depends on that row alone. Errors: see `to_matrix`.
        """
        return self.score_matrix(self.matrix(frame))

    def score_matrix(self, matrix: np.ndarray) -> np.ndarray:
        """`score` of rows that are a float32 matrix already, as `to_matrix` makes it."""
        if not len(matrix):
            return np.empty(0)
        return self._booster.inplace_predict(matrix).astype(np.float64)

    def use_threads(self, count: int) -> None:
        """How many threads score; waking them takes longer than a few rows do."""
        self._booster.set_param({"nthread": count})

    def contributions(self, frame: pd.DataFrame) -> np.ndarray:
        """What each feature adds to the log odds of each row, float64 of shape (rows, features + 1), in the order of
        the features and then the bias.

        SHAP values (Lundberg and Lee, A Unified Approach to Interpreting Model Predictions, 2017) by XGBoost's own
        TreeSHAP (`pred_contribs`); the columns of a one-hot feature are summed. A row sums to the log odds of its
        score. Errors: see `to_matrix`.
        """
        import xgboost as xgb

        matrix = self.matrix(frame)
        widths = [width(feature) for feature in self._preprocessing["features"]]
        if not len(matrix):
            return np.empty((0, len(widths) + 1))
        data = xgb.DMatrix(matrix, feature_types=column_types(self._preprocessing), enable_categorical=True)
        found = self._booster.predict(data, pred_contribs=True).astype(np.float64)
        return np.column_stack([columns.sum(axis=1) for columns in np.split(found, np.cumsum(widths), axis=1)])

    def importances(self) -> dict[str, float]:
        """Share of each feature in the gain of all splits, in the order of the features; all 0 when the model has no
        split.

        Gain is XGBoost's `total_gain`; the columns of a one-hot feature are summed.
        """
        gains = self._booster.get_score(importance_type="total_gain")
        # XGBoost names columns without a name f0, f1, ..., and leaves out those that no split uses.
        owners = [feature["name"] for feature in self._preprocessing["features"] for _ in range(width(feature))]
        summed = dict.fromkeys(self.features, 0.0)
        for column, owner in enumerate(owners):
            summed[owner] += float(gains.get(f"f{column}", 0.0))
        total = sum(summed.values())
        return {name: gain / total if total else 0.0 for name, gain in summed.items()}


def to_matrix(preprocessing: Mapping, frame: pd.DataFrame) -> np.ndarray:
    """Features as the float32 matrix that XGBoost sees, shape (rows, sum of `width`), missing values NaN.

    Numbers: (value - shift) / divisor where the feature is scaled; an infinite value, or one too large for float32, is
    missing. Categories, always compared as text: `native` and `ordinal` give the position in the sorted training
    categories, `onehot` a column of 0 and 1 for each of them, `frequency` the share of the training rows. A missing
    category, and one that training never saw, is missing in every column of its feature.

    Raises:
        ValueError: when features are missing in the frame, or hold values of another kind; it names them.
    """
    features = preprocessing["features"]
    if missing := [f["name"] for f in features if f["name"] not in frame.columns]:
        raise ValueError(f"{len(missing)} of the model's {len(features)} features are missing: {', '.join(missing)}")
    matrix = np.empty((len(frame), sum(width(f) for f in features)), dtype=np.float32)
    column = 0
    for feature in features:
        matrix[:, column : column + width(feature)] = _columns(feature, frame[feature["name"]])
        column += width(feature)
    matrix[~np.isfinite(matrix)] = np.nan
    return matrix


def width(feature: Mapping) -> int:
    """How many columns of the matrix a feature has."""
    return len(feature["categories"]) if feature["kind"] == "onehot" else 1


def column_types(preprocessing: Mapping) -> list[str]:
    """XGBoost's type of each column of the matrix: `c` for categories that XGBoost splits itself, else `q`."""
    return ["c" if f["kind"] == "native" else "q" for f in preprocessing["features"] for _ in range(width(f))]


def numbers(values: pd.Series) -> np.ndarray:
    """A column of numbers or booleans as float64, NaN where missing or infinite.

    Raises:
        ValueError: for anything else, with the name of the column.
    """
    try:
        found = values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"feature {values.name}: expected numbers, found {values.dtype}: {error}") from error
    return np.where(np.isfinite(found), found, np.nan)


def texts(values: pd.Series) -> pd.Series:
    """A column of categories as Python strings, None where missing; integers and booleans become their text.

    Raises:
        ValueError: when it holds anything else, with the name of the column: the number 3.0 would silently be an
            unknown category.
    """
    if pd.api.types.is_integer_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("string").astype(object).where(values.notna(), None)
    found = values.astype(object).where(values.notna(), None)
    if (kind := pd.api.types.infer_dtype(found, skipna=True)) not in ("string", "empty"):
        raise ValueError(f"feature {values.name}: expected categories as text, found {kind}; convert them with str")
    return found


def _columns(feature: Mapping, values: pd.Series) -> np.ndarray:
    """The columns of one feature, float64 of shape (rows, width)."""
    if feature["kind"] == "number":
        found = numbers(values)
        if "divisor" in feature:
            found = (found - feature["shift"]) / feature["divisor"]
        # What does not fit float32 would be infinite there, which XGBoost refuses.
        return np.where(np.abs(found) <= np.finfo(np.float32).max, found, np.nan)[:, None]
    positions = pd.Index(feature["categories"], dtype=object).get_indexer(texts(values))
    known = positions >= 0
    if feature["kind"] == "onehot":
        hits = positions[:, None] == np.arange(width(feature))
        return np.where(known[:, None], hits, np.nan)
    if feature["kind"] == "frequency":
        return np.where(known, np.append(feature["shares"], np.nan)[positions], np.nan)[:, None]
    return np.where(known, positions, np.nan)[:, None]
