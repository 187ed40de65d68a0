"""The kinds of features, each with the names of the columns that it computes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from ml_assets.core.model_spec.types.base import SpecPart, check_name
from ml_assets.core.model_spec.types.durations import Duration, Window, format_duration
from ml_assets.core.model_spec.types.modules import missing_module

Aggregate = Literal["count", "sum", "mean", "std", "min", "max", "difference", "ratio", "zscore"]
CalendarPart = Literal["hour", "weekday", "month", "weekend", "night"]
NEEDS_NO_VALUE = "count"
ZERO = timedelta(0)


class RowTransform(SpecPart):
    """A column of the row itself, unchanged or transformed: `amount`, `amount_log1p`, `amount_sqrt`,
    `amount_square`."""

    kind: Literal["column", "log1p", "sqrt", "square"]
    """column: the value unchanged. log1p: ln(1 + x). sqrt: the square root. square: the square. log1p and sqrt of a
    value outside their domain are missing."""

    columns: list[str] = Field(min_length=1)
    """Columns of numbers or booleans."""

    def names(self) -> list[str]:
        """Return the names of the feature columns, in order."""
        return [c if self.kind == "column" else f"{c}_{self.kind}" for c in self.columns]


class Categorical(SpecPart):
    """Categories as text; `training.preprocessing` decides how they are encoded."""

    kind: Literal["categorical"]
    columns: list[str] = Field(min_length=1)
    """Columns of strings, integers or booleans."""

    def names(self) -> list[str]:
        """Return the names of the feature columns, in order."""
        return list(self.columns)


class Calendar(SpecPart):
    """Parts of the event time in the time zone of the source."""

    kind: Literal["calendar"]
    parts: list[CalendarPart] = Field(min_length=1)
    """hour 0 to 23; weekday 0 (Monday) to 6; month 1 to 12; weekend and night 0 or 1."""

    night_hours: tuple[Annotated[int, Field(ge=0, le=23)], Annotated[int, Field(ge=0, le=23)]] = (0, 6)
    """First and last hour of the night, both included; (22, 5) spans midnight."""

    def names(self) -> list[str]:
        """Return the names of the feature columns, in order."""
        return [f"event_time_{part}" for part in self.parts]


class WindowAggregate(SpecPart):
    """Aggregates over earlier rows with the same key: those within `windows` of time, or the last `last_rows` rows.

    For a row at time t, a window holds the rows with a time in (t - delay - window, t - delay]; without a delay it
    includes the row itself and all rows at the same instant. Group statistics are windows whose key is the group.
    Without a key, a window covers all rows.
    """

    kind: Literal["window"]
    key: Annotated[
        list[str], WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
    ] = []
    """Columns in which the rows of the window equal the row itself: one name or a list."""

    value: str | None = None
    """Column that is aggregated; every aggregate but `count` needs one."""

    aggregates: list[Aggregate] = Field(min_length=1)
    """count, sum, mean, std (sample, ddof 1), min, max; and, for the row's own value against the window, difference
    (value - mean), ratio (value / mean) and zscore ((value - mean) / std). Only `count` counts rows without a value. An
    aggregate of an empty window is missing, but count and sum are 0."""

    windows: list[Window] = []
    """Lengths of the windows, such as [1d, 7d, 30d]."""

    last_rows: list[Annotated[int, Field(ge=1, le=1_000_000)]] = []
    """Numbers of most recent rows, such as [5, 20]; rows at the same instant are ordered by the row key."""

    within: Window | None = None
    """Maximum age of the rows of `last_rows`, which bounds the history that must be read."""

    delay: Duration = ZERO
    """Time between the end of the window and the row. An aggregate of the target needs at least `label_delay`, and more
    than 0."""

    @field_validator("key", mode="before")
    @classmethod
    def _list_key(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_complete(self) -> "WindowAggregate":
        if self.value is None and self.aggregates != [NEEDS_NO_VALUE]:
            raise ValueError("value is missing: every aggregate but count needs one")
        if not self.windows and not self.last_rows:
            raise ValueError("give windows, such as [7d], or last_rows, such as [10]")
        if bool(self.last_rows) != (self.within is not None):
            raise ValueError("last_rows and within belong together, such as last_rows: [10] and within: 30d")
        return self

    def reach(self) -> timedelta:
        """Return the age, relative to a row, of the oldest row that its windows can hold."""
        lengths: list[timedelta] = [*self.windows, *([self.within] if self.within else [])]
        return max(lengths) + self.delay

    def spans(self) -> Iterator[tuple[str, timedelta, int | None]]:
        """Yield (suffix of the name, length of time, number of rows or None) of each window."""
        delay = f"_delay_{format_duration(self.delay)}" if self.delay else ""
        for window in self.windows:
            yield f"{format_duration(window)}{delay}", window, None
        for rows in self.last_rows:
            yield f"last_{rows}{delay}", self.within or ZERO, rows

    def name(self, aggregate: str, suffix: str) -> str:
        """Return the name of one feature column, such as `amount_mean_by_user_id_7d`; a count is
        `count_by_user_id_7d`."""
        statistic = aggregate if aggregate == NEEDS_NO_VALUE else f"{self.value}_{aggregate}"
        key = f"_by_{'_'.join(self.key)}" if self.key else ""
        return f"{statistic}{key}_{suffix}"

    def names(self) -> list[str]:
        """Return the names of the feature columns, in order."""
        return [self.name(a, suffix) for suffix, _, _ in self.spans() for a in self.aggregates]


class CustomFeatures(SpecPart):
    """Features from a custom Python function, for everything that the other kinds do not offer."""

    kind: Literal["custom"]
    function: str = Field(pattern=r"^[\w.]+:\w+$")
    """`module:function`, called as function(rows, history): the rows of the day, and the validated rows of `reads`
    before the day, whose target is missing where it is not yet known. It returns a frame with the columns `outputs` and
    the index of `rows`."""

    outputs: list[str] = Field(min_length=1)
    """Names of the feature columns."""

    reads: Duration = ZERO
    """Length of the history that the function reads, before the day; without it, the history is empty."""

    @field_validator("function")
    @classmethod
    def _module_exists(cls, value: str) -> str:
        if missing := missing_module(value.partition(":")[0]):
            raise ValueError(
                f"{value}: the module {missing} was not found; check the spelling, and install the module where the "
                "code location runs"
            )
        return value

    @field_validator("outputs")
    @classmethod
    def _can_be_seen(cls, value: list[str]) -> list[str]:
        for name in value:
            check_name("outputs", name)
            if name.startswith("_"):
                raise ValueError(f"{name}: the pipeline reserves names that begin with _")
        return value

    def names(self) -> list[str]:
        """Return the names of the feature columns, in order."""
        return list(self.outputs)


Feature = Annotated[
    RowTransform | Categorical | Calendar | WindowAggregate | CustomFeatures, Field(discriminator="kind")
]
