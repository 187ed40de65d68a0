"""The kinds of feature that a spec can ask for, each with the names of the columns it makes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import Duration, Window, format_duration
from ml_assets.core.model_spec.types.modules import missing_module

Aggregate = Literal["count", "sum", "mean", "std", "min", "max", "difference", "ratio", "zscore"]
CalendarPart = Literal["hour", "weekday", "month", "weekend", "night"]
NEEDS_NO_VALUE = "count"
ZERO = timedelta(0)


class RowTransform(SpecPart):
    """A column of the row itself, as it is or through a function: `amount`, `amount_log1p`, `amount_sqrt`,
    `amount_square`.
    """

    kind: Literal["column", "log1p", "sqrt", "square"]
    """`column` takes the value as it is; log1p is ln(1 + x); sqrt and log1p of a value outside their domain are
    missing.
    """

    columns: list[str] = Field(min_length=1)
    """Columns of numbers or booleans."""

    def names(self) -> list[str]:
        """Names of the feature columns, in order."""
        return [c if self.kind == "column" else f"{c}_{self.kind}" for c in self.columns]


class Categorical(SpecPart):
    """Categories, kept as text; how they are encoded is decided in `training.preprocessing`."""

    kind: Literal["categorical"]
    columns: list[str] = Field(min_length=1)
    """Columns of strings, integers or booleans."""

    def names(self) -> list[str]:
        """Names of the feature columns, in order."""
        return list(self.columns)


class Calendar(SpecPart):
    """Parts of the event time in the time zone of the source."""

    kind: Literal["calendar"]
    parts: list[CalendarPart] = Field(min_length=1)
    """hour 0 to 23; weekday 0 (Monday) to 6; month 1 to 12; weekend and night 0 or 1."""

    night_hours: tuple[int, int] = (0, 6)
    """First and last hour of the night, both included; (22, 5) goes over midnight."""

    @field_validator("night_hours")
    @classmethod
    def _hours_exist(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not all(0 <= hour <= 23 for hour in value):
            raise ValueError("hours go from 0 to 23")
        return value

    def names(self) -> list[str]:
        """Names of the feature columns, in order."""
        return [f"event_time_{part}" for part in self.parts]


class WindowAggregate(SpecPart):
    """Aggregates over the earlier rows that share a key: the last `windows` of time, or the last `last_rows` rows.

    For a row at time t the rows are those with time in (t - delay - window, t - delay]; with no delay the row itself
    and rows of its moment count. Group statistics are windows whose key is the group; without a key the window runs
    over all rows.
    """

    kind: Literal["window"]
    key: Annotated[
        list[str], WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
    ] = []
    """Columns that the rows have in common with the row; one name or a list."""

    value: str | None = None
    """Column that is aggregated; only `count` does without."""

    aggregates: list[Aggregate] = Field(min_length=1)
    """count, sum, mean, std (sample, ddof 1), min, max; and of the row's own value against the window: difference
    (value - mean), ratio (value / mean), zscore ((value - mean) / std). Rows without a value count only in `count`. An
    aggregate of no row is missing; count and sum are 0."""

    windows: list[Window] = []
    """Lengths of time, such as [1d, 7d, 30d]."""

    last_rows: list[Annotated[int, Field(ge=1)]] = []
    """Numbers of most recent rows, such as [5, 20]; rows of the same moment are ordered by the row key."""

    within: Window | None = None
    """How far back `last_rows` may reach: a bound on what has to be read."""

    delay: Duration = ZERO
    """How much earlier than the row the window ends. An aggregate of the target needs at least the label delay, and
    more than 0.
    """

    @field_validator("key", mode="before")
    @classmethod
    def _one_key_or_several(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_complete(self) -> "WindowAggregate":
        if self.value is None and self.aggregates != [NEEDS_NO_VALUE]:
            raise ValueError("value is missing: only the aggregate count does without")
        if not self.windows and not self.last_rows:
            raise ValueError("give windows, such as [7d], or last_rows, such as [10]")
        if bool(self.last_rows) != (self.within is not None):
            raise ValueError("last_rows and within belong together, such as last_rows: [10] and within: 30d")
        return self

    def reach(self) -> timedelta:
        """How far before a row the oldest row lies that it can see."""
        lengths: list[timedelta] = [*self.windows, *([self.within] if self.within else [])]
        return max(lengths) + self.delay

    def spans(self) -> Iterator[tuple[str, timedelta, int | None]]:
        """(suffix of the name, length of time, number of rows or None) of each window."""
        after = f"_delay_{format_duration(self.delay)}" if self.delay else ""
        for window in self.windows:
            yield f"{format_duration(window)}{after}", window, None
        for rows in self.last_rows:
            yield f"last_{rows}{after}", self.within or ZERO, rows

    def name(self, aggregate: str, suffix: str) -> str:
        """Name of one feature column, such as `amount_mean_by_user_id_7d`; a count is `count_by_user_id_7d`."""
        what = aggregate if aggregate == NEEDS_NO_VALUE else f"{self.value}_{aggregate}"
        by = f"_by_{'_'.join(self.key)}" if self.key else ""
        return f"{what}{by}_{suffix}"

    def names(self) -> list[str]:
        """Names of the feature columns, in order."""
        return [self.name(a, suffix) for suffix, _, _ in self.spans() for a in self.aggregates]


class CustomFeatures(SpecPart):
    """Features from a Python function of your own: what the other kinds do not have."""

    kind: Literal["custom"]
    function: str = Field(pattern=r"^[\w.]+:\w+$")
    """`module:function`, called as function(rows, history): the rows of the day, and the validated rows back to `reads`
    with the target blanked where it is not yet known. Returns a frame with the columns `outputs` and the index of
    `rows`."""

    outputs: list[str] = Field(min_length=1)
    """Names of the feature columns."""

    reads: Duration = ZERO
    """How far before the row the function looks."""

    @field_validator("function")
    @classmethod
    def _module_exists(cls, value: str) -> str:
        if missing := missing_module(value.partition(":")[0]):
            raise ValueError(
                f"{value}: the module {missing} was not found; install it where the code location runs, and check the spelling"
            )
        return value

    def names(self) -> list[str]:
        """Names of the feature columns, in order."""
        return list(self.outputs)


Feature = Annotated[
    RowTransform | Categorical | Calendar | WindowAggregate | CustomFeatures, Field(discriminator="kind")
]
