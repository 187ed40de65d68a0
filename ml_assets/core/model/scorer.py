"""The scorer of a model, which needs only the model's two files.

This module is shipped inside the model, so it imports nothing from this project.
"""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd


class Scorer:
    """A trained model: an XGBoost booster and the preprocessing that was fitted with it.

    Args:
        model: the booster in XGBoost's UBJSON format.
        preprocessing: the content of `preprocessing.json`: `features`, a list with the `name` of each feature, its
            `kind` (number, or the encoding of a categorical feature) and the parameters of that kind; `target`;
            `threshold`.

    Raises:
        ValueError: the model cannot be read, or its columns do not match the preprocessing.
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
        columns = sum(width(feature) for feature in preprocessing["features"])
        if columns != self._booster.num_features():
            raise ValueError(
                f"the model takes {self._booster.num_features()} columns, the preprocessing makes {columns}:"
                " use the two files of the same training"
            )

    @classmethod
    def from_bytes(cls, model: bytes, preprocessing: bytes) -> "Scorer":
        """Create a scorer from the contents of `model.ubj` and `preprocessing.json`; see the class for the errors."""
        return cls(model, json.loads(preprocessing))

    @classmethod
    def from_files(cls, model_path: str, preprocessing_path: str) -> "Scorer":
        """Create a scorer from the files `model.ubj` and `preprocessing.json`; see the class for the errors."""
        with open(model_path, "rb") as model, open(preprocessing_path, "rb") as preprocessing:
            return cls.from_bytes(model.read(), preprocessing.read())

    @property
    def preprocessing(self) -> Mapping:
        """Content of `preprocessing.json`."""
        return self._preprocessing

    @property
    def features(self) -> list[str]:
        """Names of the required features, in the order of the specification."""
        return [feature["name"] for feature in self._preprocessing["features"]]

    @property
    def threshold(self) -> float:
        """Lowest score of a positive decision."""
        return self._preprocessing["threshold"]

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """Convert features to the float32 input matrix of XGBoost with `to_matrix`."""
        return to_matrix(self._preprocessing, frame)

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the probability of the positive class, float64 of shape (rows,), in the order of the rows.

        The score of a row depends only on that row. Errors: see `to_matrix`.
        """
        return self.score_matrix(self.matrix(frame))

    def score_matrix(self, matrix: np.ndarray) -> np.ndarray:
        """Score rows that are already a float32 matrix, as returned by `to_matrix`."""
        if not len(matrix):
            return np.empty(0)
        return self._booster.inplace_predict(matrix).astype(np.float64)

    def use_threads(self, count: int) -> None:
        """Set the number of threads; for a few rows, waking threads takes longer than scoring."""
        self._booster.set_param({"nthread": count})

    def contributions(self, frame: pd.DataFrame) -> np.ndarray:
        """Compute the contribution of each feature to the log odds of each row, as SHAP values.

        The result is float64 of shape (rows, features + 1), in the order of the features, then the bias. SHAP values
        (Lundberg and Lee, A Unified Approach to Interpreting Model Predictions, 2017) are from XGBoost's own TreeSHAP
        (`pred_contribs`); the columns of a one-hot feature are summed. A row sums to the log odds of its score. Errors:
        see `to_matrix`.
        """
        import xgboost as xgb

        matrix = self.matrix(frame)
        widths = [width(feature) for feature in self._preprocessing["features"]]
        if not len(matrix):
            return np.empty((0, len(widths) + 1))
        data = xgb.DMatrix(matrix, feature_types=column_types(self._preprocessing), enable_categorical=True)
        by_column = self._booster.predict(data, pred_contribs=True).astype(np.float64)
        return np.column_stack([columns.sum(axis=1) for columns in np.split(by_column, np.cumsum(widths), axis=1)])

    def importances(self) -> dict[str, float]:
        """Return the share of each feature in the gain of all splits, in the order of the features.

        Gain is XGBoost's `total_gain`; the columns of a one-hot feature are summed. All shares are 0 if the model has
        no split.
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
    """Convert features to the float32 input matrix of XGBoost, shape (rows, sum of `width`), NaN for missing values.

    Numbers: (value - shift) / divisor if the feature is scaled; an infinite value, or one too large for float32, is
    missing. Categories, always compared as text: `native` and `ordinal` give the position in the sorted training
    categories, `onehot` a column of 0 and 1 for each of them, `frequency` the share of the training rows. A missing
    category, or one that was not in the training data, is missing in every column of its feature.

    Raises:
        ValueError: features are missing in the frame, or hold values of another kind; the message names them.
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
    """Return the number of matrix columns of a feature."""
    return len(feature["categories"]) if feature["kind"] == "onehot" else 1


def column_types(preprocessing: Mapping) -> list[str]:
    """Return the XGBoost type of each matrix column: `c` for categories that XGBoost splits itself, else `q`."""
    return ["c" if f["kind"] == "native" else "q" for f in preprocessing["features"] for _ in range(width(f))]


def numbers(values: pd.Series) -> np.ndarray:
    """Convert a column of numbers or booleans to float64, NaN if missing or infinite.

    Raises:
        ValueError: the column has another type; the message names it.
    """
    try:
        floats = values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"feature {values.name}: expected numbers, found {values.dtype}: {error}") from error
    return np.where(np.isfinite(floats), floats, np.nan)


def texts(values: pd.Series) -> pd.Series:
    """Convert a column of categories to Python strings, None if missing; integers and booleans become their text.

    Raises:
        ValueError: the column has another type; the message names it. The number 3.0 would silently be an unknown
            category.
    """
    if pd.api.types.is_integer_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("string").astype(object).where(values.notna(), None)
    strings = values.astype(object).where(values.notna(), None)
    if (kind := pd.api.types.infer_dtype(strings, skipna=True)) not in ("string", "empty"):
        raise ValueError(f"feature {values.name}: expected categories as text, found {kind}; convert them with str")
    return strings


def _columns(feature: Mapping, values: pd.Series) -> np.ndarray:
    """Return the columns of one feature, float64 of shape (rows, width)."""
    if feature["kind"] == "number":
        scaled = numbers(values)
        if "divisor" in feature:
            with np.errstate(over="ignore"):
                scaled = (scaled - feature["shift"]) / feature["divisor"]
        # A value beyond the range of float32 would become infinite, which XGBoost refuses.
        return np.where(np.abs(scaled) <= np.finfo(np.float32).max, scaled, np.nan)[:, None]
    positions = pd.Index(feature["categories"], dtype=object).get_indexer(texts(values))
    known = positions >= 0
    if feature["kind"] == "onehot":
        hits = positions[:, None] == np.arange(width(feature))
        return np.where(known[:, None], hits, np.nan)
    if feature["kind"] == "frequency":
        return np.where(known, np.append(feature["shares"], np.nan)[positions], np.nan)[:, None]
    return np.where(known, positions, np.nan)[:, None]
