"""Comparison of the features of served requests with the batch features of the same rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.monitoring_schemas import captured_names


@dataclass(frozen=True)
class FeatureDifference:
    """The difference of one feature over the compared rows.

    rows: rows that were compared. differing: rows with another value. largest, mean: absolute difference of the
    differing rows whose values are both numbers; None without any. example: row key and both values of the row with the
    largest difference, as text by name; None if no row differs.
    """

    feature: str
    rows: int
    differing: int
    largest: float | None = None
    mean: float | None = None
    example: dict[str, str] | None = None

    @property
    def share(self) -> float:
        """Share of the rows with another value."""
        return self.differing / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Comparison:
    """served: number of served rows. landed: number of them that are in the batch. differences: the difference of each
    feature, most differing rows first.
    """

    served: int
    landed: int
    differences: Sequence[FeatureDifference]


def comparable_features(spec: ModelSpec) -> list[str]:
    """Return the features that served requests keep unchanged: neither left out nor hashed."""
    columns, features = captured_names(spec)
    hashed = spec.deployment.capture.hashed if spec.deployment.capture else []
    return [name for name in spec.feature_names() if name in (*columns, *features) and name not in hashed]


def rows_that_keep(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows whose service kept a column, by the names in `not_kept`."""
    lacking = [text for text in rows["not_kept"].dropna().unique() if name in text.split(",")]
    return rows[~rows["not_kept"].isin(lacking)] if lacking else rows


def compare_served(spec: ModelSpec, served: pd.DataFrame, computed: pd.DataFrame, tolerance: float) -> Comparison:
    """Compare the features of the same rows.

    A row that was served more than once is compared each time. Missing values are equal.

    Args:
        spec: the model.
        served: row key and comparable features of served requests, and `not_kept`, which names the features of a row
            that the service did not keep at the time; they are not compared.
        computed: row key and the same features of the batch, each row once.
        tolerance: relative difference up to which two numbers are equal.
    """
    names, key = comparable_features(spec), list(spec.row_key)
    features = [name for name in names if name not in key]
    pairs = served.merge(computed, on=key, how="inner", suffixes=("", "__computed"), validate="many_to_one")
    categorical = set(spec.categorical_features())
    differences = [
        _compare(rows_that_keep(pairs, name), name, f"{name}__computed", key, name in categorical, tolerance)
        for name in features
    ]
    ordered = sorted(differences, key=lambda difference: (-difference.differing, difference.feature))
    return Comparison(len(served), len(pairs), ordered)


def _compare(
    pairs: pd.DataFrame, name: str, other: str, key: Iterable[str], is_text: bool, tolerance: float
) -> FeatureDifference:
    sizes = None
    if is_text:
        served, computed = (pairs[column].astype(object) for column in (name, other))
        differs = ((served != computed) & ~(served.isna() & computed.isna())).to_numpy(dtype=bool)
    else:
        served, computed = (pairs[column].to_numpy(dtype=np.float64, na_value=np.nan) for column in (name, other))
        is_equal = (served == computed) | (np.isnan(served) & np.isnan(computed))
        with np.errstate(invalid="ignore", over="ignore"):
            sizes = np.abs(served - computed)
            is_equal |= sizes <= tolerance * np.maximum(np.abs(served), np.abs(computed))
        differs = ~is_equal
    if not differs.any():
        return FeatureDifference(name, len(pairs), 0)
    positions = np.flatnonzero(differs)
    numbers = sizes[positions] if sizes is not None else np.zeros(0)
    known = numbers[np.isfinite(numbers)]
    worst = positions[int(np.nanargmax(np.where(np.isfinite(numbers), numbers, -1)))] if len(known) else positions[0]
    example = {column: str(pairs[column].iloc[worst]) for column in key}
    return FeatureDifference(
        name,
        len(pairs),
        len(positions),
        float(known.max()) if len(known) else None,
        float(known.mean()) if len(known) else None,
        {**example, "served": str(pairs[name].iloc[worst]), "computed": str(pairs[other].iloc[worst])},
    )
