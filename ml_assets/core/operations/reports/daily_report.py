"""The report of a day: what each stage has to say of it, as data that outlive the run, and the verdict on the whole."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from ml_assets.core.checks.outcome import CheckOutcome

MOST_LINES = 50
DRIFT = "_drift"
# What drifted is shown together, whichever stage found it.
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
}
State = Literal["published", "rejected", "missing", "no model", "registered", "not registered"]


@dataclass(frozen=True)
class Table:
    """Rows of values under a title; the columns are their keys, see `columns_of`."""

    title: str
    rows: Sequence[Mapping[str, object]]

    def columns(self) -> list[str]:
        """Names of the columns."""
        return columns_of(self.rows)


def columns_of(rows: Iterable[Mapping[str, object]]) -> list[str]:
    """The keys of all rows, in the order in which they are first met."""
    return list(dict.fromkeys(name for row in rows for name in row))


@dataclass(frozen=True)
class Bars:
    """A bar for each label; the one of `marked` stands out."""

    title: str
    bars: Mapping[str, float]
    marked: str


@dataclass(frozen=True)
class Part:
    """What one asset has to say of a day.

    state: what became of the day, where the asset decides that. problem: why it is not as it should be. facts: figures
    by name, the most important first. provenance: what the day was made from and with. pictures: PNG by title.
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

    def to_json(self) -> bytes:
        """The part as JSON, with at most 50 lines of a finding or table: equal parts give equal bytes."""
        found = {
            **{name: getattr(self, name) for name in ("asset", "state", "problem", "facts", "provenance")},
            "day": self.day.isoformat(),
            "tables": [{"title": one.title, "rows": list(one.rows)[:MOST_LINES]} for one in self.tables],
            "bars": [{"title": one.title, "bars": list(one.bars.items()), "marked": one.marked} for one in self.bars],
            "outcomes": [
                {
                    "check": one.check,
                    "passed": one.passed,
                    "reason": one.reason,
                    "severity": one.severity,
                    "lines": list(one.lines)[:MOST_LINES],
                }
                for one in self.outcomes
            ],
            "plots": {title: b64encode(png).decode() for title, png in self.plots.items()},
        }
        return json.dumps(found, default=_plain, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Part":
        """The part that `to_json` wrote."""
        found = json.loads(content)
        day = date.fromisoformat(found["day"])
        return cls(
            **{name: found[name] for name in ("asset", "state", "problem", "facts", "provenance")},
            day=day,
            tables=[Table(**one) for one in found["tables"]],
            bars=[Bars(one["title"], dict(one["bars"]), one["marked"]) for one in found["bars"]],
            outcomes=[CheckOutcome(day=day, **one) for one in found["outcomes"]],
            plots={title: b64decode(png) for title, png in found["plots"].items()},
        )


@dataclass(frozen=True)
class Report:
    """All that is known of a day of a model.

    parts: by asset, in the order of the stages.
    """

    model: str
    day: date
    parts: Sequence[Part]

    def sections(self) -> dict[str, list[Part]]:
        """The parts under the titles of the page, failed findings first; those of drift checks, with their pictures,
        have a title of their own.
        """
        found: dict[str, list[Part]] = {}
        for title, asset in SECTIONS.items():
            parts = (
                [_of_drift(part) for part in self.parts]
                if asset == DRIFT
                else [_but_drift(part) for part in self.parts if part.asset == asset]
            )
            if parts := [part for part in parts if asset != DRIFT or part.outcomes]:
                found[title] = parts
        return found

    def provenance(self) -> list[dict[str, object]]:
        """A line for each thing that a part was made from or with."""
        return [
            {"asset": part.asset, "what": what, "value": value}
            for part in self.parts
            for what, value in part.provenance.items()
        ]

    def failed(self) -> list[tuple[Part, CheckOutcome]]:
        """The findings that failed, errors first, with the part that they are of."""
        found = [(part, one) for part in self.parts for one in part.outcomes if one.failed]
        return sorted(found, key=lambda pair: _gravity(pair[1]))

    def verdict(self) -> tuple[str, str]:
        """(published, flagged, rejected, missing or unknown; why, in one sentence)."""
        state = next((part for part in self.parts if part.state in ("published", "rejected", "missing")), None)
        failed = self.failed()
        errors = sum(found.severity == "error" for _, found in failed)
        counts = " and ".join(
            f"{number} {name}{'s' if number > 1 else ''}"
            for number, name in [(errors, "error"), (len(failed) - errors, "warning")]
            if number
        )
        if state is None:
            return "unknown", f"the rows of the day have no report{f'; checks found {counts}' if failed else ''}"
        if state.state != "published":
            return str(state.state), state.problem or "no rows are published"
        return (
            ("flagged", f"the rows are published; checks found {counts}")
            if failed
            else ("published", "every check that was judged passed")
        )

    def model_line(self) -> str:
        """What became of the model of the day, in one sentence."""
        states = {part.state: part for part in self.parts}
        if part := states.get("registered"):
            return f"registered as version {part.facts['version']}"
        if part := states.get("not registered"):
            return f"not registered: {part.problem}" if part.problem else "not registered"
        if part := states.get("no model"):
            return part.problem or "no model"
        return (
            "evaluated, not registered"
            if any(part.asset == "evaluation" for part in self.parts)
            else "no model was made of this day"
        )


def _plain(value: object) -> object:
    """Numbers of numpy as Python's, all else that JSON does not know, such as days, as text."""
    item = getattr(value, "item", None)
    return item() if item else str(value)


def _gravity(found: CheckOutcome) -> int:
    return 2 if not found.failed else 0 if found.severity == "error" else 1


def _of_drift(part: Part) -> Part:
    outcomes = sorted((one for one in part.outcomes if one.check.endswith(DRIFT)), key=_gravity)
    return Part(
        part.asset,
        part.day,
        outcomes=outcomes,
        plots={name: png for name, png in part.plots.items() if name.endswith(DRIFT)},
    )


def _but_drift(part: Part) -> Part:
    outcomes = sorted((one for one in part.outcomes if not one.check.endswith(DRIFT)), key=_gravity)
    return replace(
        part, outcomes=outcomes, plots={name: png for name, png in part.plots.items() if not name.endswith(DRIFT)}
    )
