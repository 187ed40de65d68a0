"""The daily report: the results of each stage on a day, as data that outlives the run, and the verdict on the day."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from ml_assets.core.checks.outcome import CheckOutcome

MAX_LINES = 50
DRIFT = "_drift"
# The drift checks of all stages share one section.
SECTIONS = {
    "Data quality": "validated_data",
    "Labels delivered": "validated_labels",
    "Drift": DRIFT,
    "Features": "features",
    "Parameter search": "parameter_search",
    "Model evaluation": "evaluation",
    "Registry": "model_registry_entry",
    "Deployment": "deployment",
    "Predictions": "predictions",
    "Quality of predictions": "prediction_quality",
    "Served requests": "served_requests",
}
OF_MODEL = ("evaluation", "model_registry_entry")
State = Literal["published", "rejected", "missing", "no model", "registered", "not registered", "unreadable"]
# Names in the parts of versions before 2026-11-28, which days that nobody computes again still have.
FORMER_NAMES = {"outcomes": "findings", "plots": "pictures"}


@dataclass(frozen=True)
class Table:
    """A titled table of rows, whose keys are the columns, see `columns_of`."""

    title: str
    rows: Sequence[Mapping[str, object]]

    def columns(self) -> list[str]:
        """Names of the columns."""
        return columns_of(self.rows)


def columns_of(rows: Iterable[Mapping[str, object]]) -> list[str]:
    """Return the keys of all rows, in the order of their first occurrence."""
    return list(dict.fromkeys(name for row in rows for name in row))


@dataclass(frozen=True)
class Bars:
    """A bar chart with a bar for each label; the bar of `marked` is highlighted."""

    title: str
    bars: Mapping[str, float]
    marked: str


@dataclass(frozen=True)
class Part:
    """The report of one asset on a day.

    state: the outcome of the day, if this asset decides it, or unreadable. problem: the reason if the outcome is not
    the expected one. facts: values by name, the most important first. provenance: inputs and versions by name. plots:
    SVG by title. inputs: digest of everything that the check outcomes depend on; None if they must not be reused from
    this part.
    """

    asset: str
    day: date
    state: State | None = None
    problem: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    bars: Sequence[Bars] = ()
    outcomes: Sequence[CheckOutcome] = ()
    plots: Mapping[str, bytes] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    inputs: str | None = None

    def to_json(self) -> bytes:
        """Return the part as JSON, with at most 50 lines per check or table; equal parts give equal bytes."""
        document = {
            **{name: getattr(self, name) for name in ("asset", "state", "problem", "facts", "provenance", "inputs")},
            "day": self.day.isoformat(),
            "tables": [{"title": table.title, "rows": list(table.rows)[:MAX_LINES]} for table in self.tables],
            "bars": [
                {"title": chart.title, "bars": list(chart.bars.items()), "marked": chart.marked} for chart in self.bars
            ],
            "outcomes": [
                {
                    "check": outcome.check,
                    "passed": outcome.passed,
                    "reason": outcome.reason,
                    "severity": outcome.severity,
                    "lines": list(outcome.lines)[:MAX_LINES],
                    "figures": outcome.figures,
                    "remark": outcome.remark,
                }
                for outcome in self.outcomes
            ],
            "plots": {title: b64encode(plot).decode() for title, plot in self.plots.items()},
        }
        return json.dumps(document, default=_plain, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Part":
        """Read the part that `to_json` wrote."""
        document = json.loads(content)
        for name, former in FORMER_NAMES.items():
            document.setdefault(name, document.get(former))
        day = date.fromisoformat(document["day"])
        return cls(
            **{name: document[name] for name in ("asset", "state", "problem", "facts", "provenance")},
            day=day,
            inputs=document.get("inputs"),
            tables=[Table(**table) for table in document["tables"]],
            bars=[Bars(chart["title"], dict(chart["bars"]), chart["marked"]) for chart in document["bars"]],
            outcomes=[CheckOutcome(day=day, **outcome) for outcome in document["outcomes"]],
            plots={title: b64decode(plot) for title, plot in document["plots"].items()},
        )


@dataclass(frozen=True)
class Report:
    """The report of a day of a model.

    parts: one for each asset, in the order of the stages.
    """

    model: str
    day: date
    parts: Sequence[Part]

    def sections(self) -> dict[str, list[Part]]:
        """Return the parts by section of the page, failed checks first; drift checks and their plots have a section of
        their own.
        """
        sections: dict[str, list[Part]] = {}
        for title, asset in SECTIONS.items():
            parts = (
                [_with_drift_only(part) for part in self.parts]
                if asset == DRIFT
                else [_without_drift(part) for part in self.parts if part.asset == asset]
            )
            if parts := [part for part in parts if asset != DRIFT or part.outcomes]:
                sections[title] = parts
        return sections

    def provenance(self) -> list[dict[str, object]]:
        """Return a line for each provenance entry of each part."""
        return [
            {"asset": part.asset, "what": name, "value": value}
            for part in self.parts
            for name, value in part.provenance.items()
        ]

    @property
    def outcomes(self) -> list[CheckOutcome]:
        """The outcomes of all checks, in the order of the stages."""
        return [outcome for part in self.parts for outcome in part.outcomes]

    def failed(self) -> list[tuple[Part, CheckOutcome]]:
        """Return the failed check outcomes with their parts, errors first."""
        pairs = [(part, outcome) for part in self.parts for outcome in part.outcomes if outcome.failed]
        return sorted(pairs, key=lambda pair: _rank(pair[1]))

    def verdict(self) -> tuple[str, str]:
        """Return the verdict (published, flagged, rejected, missing or unknown) and its reason in one sentence."""
        state = next((part for part in self.parts if part.state in ("published", "rejected", "missing")), None)
        failed = self.failed()
        errors = sum(outcome.severity == "error" for _, outcome in failed)
        counts = " and ".join(
            f"{number} {name}{'s' if number > 1 else ''}"
            for number, name in [(errors, "error"), (len(failed) - errors, "warning")]
            if number
        )
        if "unreadable" in {part.state for part in self.parts}:
            return "unknown", "some of its reports cannot be read"
        if state is None:
            return "unknown", f"the rows of the day have no report{f'; checks found {counts}' if failed else ''}"
        if state.state != "published":
            return str(state.state), state.problem or "no rows are published"
        return (
            ("flagged", f"the rows are published; checks found {counts}")
            if failed
            else ("published", "every check that was evaluated passed")
        )

    def model_line(self) -> str:
        """Return the outcome of the model of the day in one sentence."""
        states = {part.state: part for part in self.parts}
        if any(part.state == "unreadable" and part.asset in OF_MODEL for part in self.parts):
            return "unknown: its report cannot be read"
        if part := states.get("registered"):
            version = part.facts.get("version")
            return f"registered as version {version}" if version else "registered together with this report"
        if part := states.get("not registered"):
            return f"not registered: {part.problem}" if part.problem else "not registered"
        if "no model" in states:
            reasons = [part.problem or part.facts.get("due") for part in self.parts if part.state == "no model"]
            return str(next((reason for reason in reasons if reason), "no model"))
        return (
            "evaluated, not registered"
            if any(part.asset == "evaluation" for part in self.parts)
            else "no model was trained as of this day"
        )


def _plain(value: object) -> object:
    """Convert numpy numbers to Python numbers, and other types that JSON does not have, such as dates, to text."""
    item = getattr(value, "item", None)
    return item() if item else str(value)


def _rank(outcome: CheckOutcome) -> int:
    return 2 if not outcome.failed else 0 if outcome.severity == "error" else 1


def _with_drift_only(part: Part) -> Part:
    outcomes = sorted((outcome for outcome in part.outcomes if outcome.check.endswith(DRIFT)), key=_rank)
    return Part(
        part.asset,
        part.day,
        outcomes=outcomes,
        plots={name: plot for name, plot in part.plots.items() if name.endswith(DRIFT)},
    )


def _without_drift(part: Part) -> Part:
    outcomes = sorted((outcome for outcome in part.outcomes if not outcome.check.endswith(DRIFT)), key=_rank)
    return replace(
        part, outcomes=outcomes, plots={name: plot for name, plot in part.plots.items() if not name.endswith(DRIFT)}
    )
