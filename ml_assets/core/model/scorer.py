"""The scorer of a model, which needs only the model's two files.

This module is shipped inside the model, so it imports nothing from this project.
"""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

BINARY, SCORE = "binary", "score"


class Scorer:
    """A trained model: an XGBoost booster and the preprocessing that was fitted with it.

    Args:
        model: the booster in XGBoost's UBJSON format.
        preprocessing: the content of `preprocessing.json`: `features`, a list with the `name` of each feature, its
            `kind` (number, or the encoding of a categorical feature) and the parameters of that kind; `target`;
            `threshold`. A regression or multiclass model has no threshold but `task`, the column names of
            `predictions`, and `classes`, or `quantiles` with the position of the `central` one.

    Raises:
        ValueError: the model cannot be read, or its columns do not match the preprocessing.
    """

    def __init__(self, model: bytes, preprocessing: Mapping):
        import xgboost as xgb

        self._preprocessing = preprocessing
        self.task: str = preprocessing.get("task", BINARY)
        self.classes: list = list(preprocessing.get("classes", []))
        self._names: list[str] = preprocessing.get("predictions", [SCORE])
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
        """Lowest score of a positive decision; NaN for a model without decisions."""
        return self._preprocessing["threshold"] if self.task == BINARY else np.nan

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """Convert features to the float32 input matrix of XGBoost with `to_matrix`."""
        return to_matrix(self._preprocessing, frame)

    def predict(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        """Return the columns of predictions by name, each of shape (rows,), in the order of the rows.

        Binary: `score` and `decision`. Regression: `prediction` and one column for each quantile. Multiclass:
        `predicted_class`, which has the highest probability (the first of equal ones), and one probability for each
        class. The prediction of a row depends only on that row. Errors: see `to_matrix`.
        """
        return self.columns(self.predict_matrix(self.matrix(frame)))

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the probability of the positive class of a binary model, float64 of shape (rows,), in the order of the
        rows. Errors: see `to_matrix`.
        """
        return self.predict_matrix(self.matrix(frame))[:, 0]

    def predict_matrix(self, matrix: np.ndarray) -> np.ndarray:
        """Predict rows that are already a float32 matrix, as returned by `to_matrix`.

        The result is float64 of shape (rows, predictions): the score; the amount, or its quantiles, put in order where
        they cross (Chernozhukov et al., Quantile and Probability Curves Without Crossing, 2010); or the probability of
        each class, divided by their sum, because XGBoost's float32 probabilities do not add up exactly.
        """
        if not len(matrix):
            return np.empty((0, len(self._names)))
        values = self._booster.inplace_predict(matrix).astype(np.float64).reshape(len(matrix), len(self._names))
        if self.task == "multiclass":
            return values / values.sum(axis=1, keepdims=True)
        return np.sort(values, axis=1) if self._preprocessing.get("quantiles") else values

    def columns(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Convert predictions of `predict_matrix` to columns by name."""
        if self.task == BINARY:
            return {SCORE: values[:, 0], "decision": values[:, 0] >= self.threshold}
        named = {name: values[:, number] for number, name in enumerate(self._names)}
        if self.task == "multiclass":
            kind = object if isinstance(self.classes[0], str) else np.int64
            return {"predicted_class": np.array(self.classes, dtype=kind)[self.chosen(values)], **named}
        return {"prediction": values[:, self._preprocessing.get("central", 0)], **named}

    def chosen(self, values: np.ndarray) -> np.ndarray:
        """Return the position of the main prediction of each row: the likeliest class, or the central quantile."""
        if self.task == "multiclass":
            return values.argmax(axis=1)
        return np.full(len(values), self._preprocessing.get("central", 0))

    def ranks(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the values by which rows are ranked: the score, prediction or highest probability in the columns of
        `predict`."""
        values = list(columns.values())
        return np.max(values[1:], axis=0) if self.task == "multiclass" else values[0]

    def use_threads(self, count: int) -> None:
        """Set the number of threads. For a few rows, waking threads takes longer than scoring."""
        self._booster.set_param({"nthread": count})

    def contributions(self, frame: pd.DataFrame) -> np.ndarray:
        """Compute the contribution of each feature to the margin of each row, as SHAP values.

        The result is float64 of shape (rows, features + 1), in the order of the features, then the bias. SHAP values
        (Lundberg and Lee, A Unified Approach to Interpreting Model Predictions, 2017) are from XGBoost's own TreeSHAP
        (`pred_contribs`); the columns of a one-hot feature are summed. A row sums to the margin: the log odds of its
        score, the amount (its logarithm for poisson, tweedie and gamma), or the logit of a class. With several
        predictions they are those of the predicted class, or of the central quantile. Errors: see `to_matrix`.
        """
        by_prediction = self.contributions_by_prediction(frame)
        if by_prediction.shape[1] == 1:
            return by_prediction[:, 0]
        chosen = self.chosen(self.predict_matrix(self.matrix(frame)))
        return by_prediction[np.arange(len(by_prediction)), chosen]

    def contributions_by_prediction(self, frame: pd.DataFrame) -> np.ndarray:
        """Compute the contributions to each class or quantile, float64 of shape (rows, predictions, features + 1)."""
        import xgboost as xgb

        matrix = self.matrix(frame)
        widths = [width(feature) for feature in self._preprocessing["features"]]
        shape = len(matrix), len(self._names)
        if not len(matrix):
            return np.empty((*shape, len(widths) + 1))
        data = xgb.DMatrix(matrix, feature_types=column_types(self._preprocessing), enable_categorical=True)
        by_column = self._booster.predict(data, pred_contribs=True).astype(np.float64).reshape(*shape, -1)
        parts = np.split(by_column, np.cumsum(widths), axis=2)
        return np.stack([columns.sum(axis=2) for columns in parts], axis=2)

    def importances(self) -> dict[str, float]:
        """Return the share of each feature in the gain of all splits, in the order of the features.

        Gain is XGBoost's `total_gain`; the columns of a one-hot feature are summed. All shares are 0 if the model has
        no splits.
        """
        gains = self._booster.get_score(importance_type="total_gain")
        # XGBoost names unnamed columns f0, f1, ..., and leaves out those that no split uses.
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
    categories, `onehot` a column of 0 and 1 for each of them, `frequency` the share of the training rows. A category
    that is missing or was not in the training data is missing in every column of its feature.

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
        ValueError: the column has another type; the message names it. Otherwise the number 3.0 would silently become an
            unknown category.
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
