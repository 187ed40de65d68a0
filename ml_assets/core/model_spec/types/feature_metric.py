"""Named metrics of a day's features."""

from typing import Literal

from pydantic import Field, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.numbers import format_number

ROW_COUNT_METRIC = "row_count"
"""The built-in metric that counts the rows of a day of features."""


class Metric(SpecPart):
    """A named metric of each day's features, with optional bounds."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """Name of the metric in the table feature_metrics."""
    aggregate: Literal["rows", "distinct", "sum", "mean", "minimum", "maximum", "missing_share"]
    """Aggregate that is computed; missing values do not count."""
    column: str | None = None
    """Identity column or feature; every aggregate but `rows` needs one."""
    at_least: float | None = Field(None, ge=-1e300, le=1e300, allow_inf_nan=False)
    """Minimum of the metric."""
    at_most: float | None = Field(None, ge=-1e300, le=1e300, allow_inf_nan=False)
    """Maximum of the metric."""

    @model_validator(mode="after")
    def _has_a_column(self) -> "Metric":
        if (self.column is None) != (self.aggregate == "rows"):
            raise ValueError(
                f"{self.name}: aggregate {self.aggregate} {'takes no' if self.aggregate == 'rows' else 'needs a'} "
                "column"
            )
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(
                f"{self.name}: at_least {format_number(self.at_least)} is above at_most {format_number(self.at_most)}"
            )
        return self
