"""Metrics of a step: one sample of each metric, with few attributes of low cardinality."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

# name: (unit, description). Units are UCUM codes, as in OpenTelemetry; counted items are in braces.
METRICS: Mapping[str, tuple[str, str]] = {
    "ml_assets.stage.days": ("{day}", "Days of a step, by outcome: computed, unchanged, or problem"),
    "ml_assets.stage.rows": ("{row}", "Rows that a step computed, in all tables of the stage"),
    "ml_assets.stage.bytes": ("By", "Bytes of the files of the days that a step computed"),
    "ml_assets.stage.duration": ("s", "Total seconds of the days of a step"),
    "ml_assets.stage.slowest_day": ("s", "Seconds of the slowest day"),
    "ml_assets.stage.newest_day": (
        "s",
        "The newest day of a step without a problem, as the Unix time of its midnight in UTC",
    ),
    "ml_assets.step.failures": (
        "{failure}",
        "Failed attempts of a step, by cause and by whether another attempt follows",
    ),
    "ml_assets.run.queue_time": ("s", "Seconds from the creation of the run to its start"),
    "ml_assets.gate.value": ("", "Value that a gate measured on the newest day of a step"),
    "ml_assets.gate.passed": ("", "1 if the gate passed on the newest day that it evaluated, else 0"),
    "ml_assets.model.metric": ("", "A metric of the model of the newest day on its holdout"),
}


@dataclass(frozen=True)
class DayFigures:
    """One day of a step: its seconds, its rows (0 when it is unchanged), and whether it was computed or has a
    problem."""

    day: date
    seconds: float
    rows: int
    computed: bool
    has_problem: bool

    @property
    def outcome(self) -> str:
        """`problem`, `computed` or `unchanged`."""
        return "problem" if self.has_problem else "computed" if self.computed else "unchanged"


@dataclass(frozen=True)
class Sample:
    """One value of a metric of `METRICS`."""

    name: str
    value: float
    attributes: Mapping[str, str]


def samples_of_days(model: str, stage: str, days: Sequence[DayFigures], size: int) -> list[Sample]:
    """Return the samples of a step that computed or checked days; none for a step without days.

    The day is not an attribute, because each day would create another time series.

    Args:
        model: name of the model.
        stage: name of the stage.
        days: the days, in any order.
        size: bytes of the files of the days that were computed.
    """
    if not days:
        return []
    attributes = {"model": model, "stage": stage}
    counts = {outcome: sum(day.outcome == outcome for day in days) for outcome in ("computed", "unchanged", "problem")}
    days_without_problem = [day.day for day in days if not day.has_problem]
    values = {
        "ml_assets.stage.rows": sum(day.rows for day in days),
        "ml_assets.stage.bytes": size,
        "ml_assets.stage.duration": sum(day.seconds for day in days),
        "ml_assets.stage.slowest_day": max(day.seconds for day in days),
    }
    if days_without_problem:
        newest = datetime(*max(days_without_problem).timetuple()[:3], tzinfo=UTC)
        values["ml_assets.stage.newest_day"] = newest.timestamp()
    samples = [
        Sample("ml_assets.stage.days", float(count), {**attributes, "outcome": outcome})
        for outcome, count in counts.items()
    ]
    return [*samples, *(Sample(name, float(value), attributes) for name, value in values.items())]


def samples_of_gates(model: str, gates: Iterable[tuple[str, bool | None, object]]) -> list[Sample]:
    """Return the samples of the gates of an evaluation.

    Args:
        model: name of the model.
        gates: for each gate (name, whether it passed on the newest day that it evaluated or None, measured value or
            None).
    """
    samples = []
    for gate, passed, value in gates:
        attributes = {"model": model, "gate": gate}
        samples += [Sample("ml_assets.gate.passed", float(passed), attributes)] if passed is not None else []
        samples += [Sample("ml_assets.gate.value", float(value), attributes)] if isinstance(value, int | float) else []
    return samples


def samples_of_model(model: str, metrics: Mapping[str, object]) -> list[Sample]:
    """Return the samples of a model's numeric metrics.

    Args:
        model: name of the model.
        metrics: the metrics by name.
    """
    numbers = {name: value for name, value in metrics.items() if isinstance(value, int | float) and value == value}
    return [
        Sample("ml_assets.model.metric", float(value), {"model": model, "metric": name})
        for name, value in numbers.items()
    ]


def sample_of_failure(step: str, cause: str, another_follows: bool) -> Sample:
    """Return the sample of a failed attempt of a step.

    Args:
        step: name of the model and of the stage, as in `fraud_detection/features`.
        cause: the kind of the failure (transient, refused, memory, stated, code or interrupted).
        another_follows: whether the step is retried.
    """
    model, _, stage = step.partition("/")
    return Sample(
        "ml_assets.step.failures",
        1.0,
        {"model": model, "stage": stage, "cause": cause, "another_follows": str(another_follows).lower()},
    )
