"""What a step measures of itself: one sample of each metric, with few attributes that have few values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

# name: (unit, what it is). A unit is one of UCUM, as OpenTelemetry has them; what is counted stands in braces.
METRICS: Mapping[str, tuple[str, str]] = {
    "ml_assets.stage.days": ("{day}", "Days of a step, by outcome: computed, unchanged, or problem"),
    "ml_assets.stage.rows": ("{row}", "Rows that a step made, in all tables of the stage"),
    "ml_assets.stage.bytes": ("By", "Bytes of the files of the days that a step made"),
    "ml_assets.stage.duration": ("s", "Seconds that the days of a step took together"),
    "ml_assets.stage.slowest_day": ("s", "Seconds of the day that took longest"),
    "ml_assets.stage.newest_day": (
        "s",
        "The newest day of a step that has no problem, as seconds from 1970 to its midnight in UTC",
    ),
    "ml_assets.step.failures": (
        "{failure}",
        "One for an attempt of a step that failed, by its cause and by whether another attempt follows",
    ),
    "ml_assets.run.queue_time": ("s", "Seconds from the creation of the run to its start"),
    "ml_assets.gate.value": ("", "What a gate measured on the newest day of a step"),
    "ml_assets.gate.passed": ("", "1 when the gate passed on the newest day that was judged, else 0"),
    "ml_assets.model.metric": ("", "A metric of the model of the newest day on its holdout"),
}


@dataclass(frozen=True)
class DayFigures:
    """One day of a step: seconds it took, rows it was given (0 when it stayed as it was), whether it has other rows
    than before, or a problem.
    """

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
    """What a step that made or looked at days measures; nothing of a step without days.

    The day itself is no attribute: every day would be a series of its own, for ever.

    Args:
        model: name of the model.
        stage: name of the stage.
        days: in any order.
        size: bytes of the files of the days that were made.
    """
    if not days:
        return []
    of = {"model": model, "stage": stage}
    counts = {outcome: sum(day.outcome == outcome for day in days) for outcome in ("computed", "unchanged", "problem")}
    good = [day.day for day in days if not day.has_problem]
    values = {
        "ml_assets.stage.rows": sum(day.rows for day in days),
        "ml_assets.stage.bytes": size,
        "ml_assets.stage.duration": sum(day.seconds for day in days),
        "ml_assets.stage.slowest_day": max(day.seconds for day in days),
        **(
            {"ml_assets.stage.newest_day": datetime(*max(good).timetuple()[:3], tzinfo=UTC).timestamp()} if good else {}
        ),
    }
    found = [
        Sample("ml_assets.stage.days", float(count), {**of, "outcome": outcome}) for outcome, count in counts.items()
    ]
    return [*found, *(Sample(name, float(value), of) for name, value in values.items())]


def samples_of_gates(model: str, gates: Iterable[tuple[str, bool | None, object]]) -> list[Sample]:
    """What the gates of an evaluation measure.

    Args:
        model: name of the model.
        gates: (name, whether it passed on the newest day that was judged or None, the value that it measured or None)
            of each.
    """
    found = []
    for gate, passed, value in gates:
        of = {"model": model, "gate": gate}
        found += [Sample("ml_assets.gate.passed", float(passed), of)] if passed is not None else []
        found += [Sample("ml_assets.gate.value", float(value), of)] if isinstance(value, int | float) else []
    return found


def samples_of_model(model: str, metrics: Mapping[str, object]) -> list[Sample]:
    """The metrics of a model that are numbers.

    Args:
        model: name of the model.
        metrics: by name.
    """
    numbers = {name: value for name, value in metrics.items() if isinstance(value, int | float) and value == value}
    return [
        Sample("ml_assets.model.metric", float(value), {"model": model, "metric": name})
        for name, value in numbers.items()
    ]


def sample_of_failure(step: str, cause: str, another_follows: bool) -> Sample:
    """An attempt of a step that failed.

    Args:
        step: name of the model and of the stage, as in `fraud_detection/features`.
        cause: what it was a fault of: transient, refused, memory, stated, code or interrupted.
        another_follows: whether the step is tried again.
    """
    model, _, stage = step.partition("/")
    return Sample(
        "ml_assets.step.failures",
        1.0,
        {"model": model, "stage": stage, "cause": cause, "another_follows": str(another_follows).lower()},
    )
