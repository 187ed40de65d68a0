"""What the checks of columns say of a day: whether more rows break a rule of the column than the specification lets
pass.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks import Severity
from ml_assets.core.model_spec.file_feed import ROW_KEY, Contract

if TYPE_CHECKING:
    import pandas as pd

_NO_NAME = re.compile(r"[^A-Za-z0-9_]")
_LINE = ["rule", "severity", "rows", "share", "sample"]
NO_ROWS = "the day has no rows"


def contract_check_names(spec: Contract) -> tuple[str, Mapping[str, str]]:
    """Name of the check of the row key, and of the check of each column.

    Dagster takes letters, digits and underscores only; names that become the same so are told apart by a number.
    """
    taken: list[str] = []
    for wanted in [f"contract_{_NO_NAME.sub('_', name)}" for name in (ROW_KEY, *spec.columns)]:
        numbered, number = wanted, 2
        while numbered in taken:
            numbered, number = f"{wanted}_{number}", number + 1
        taken.append(numbered)
    return taken[0], dict(zip(spec.columns, taken[1:], strict=True))


def contract_outcomes(
    spec: Contract, day: date, violations: "pd.DataFrame", has_rows: bool = True
) -> list[CheckOutcome]:
    """What the check of the row key and of each column finds on one day.

    A check passes while none of its rules is broken by a larger share of the landed rows than `quality.max_rule_share`.
    It fails with an error when one of the rules that fail is of severity error. Without rows the day is not judged.

    Args:
        spec: what the files have to hold.
        day: the day.
        violations: what the rows of the day broke, with the columns of `BROKEN_RULES`; empty when they broke nothing.
        has_rows: whether any rows landed.
    """
    from ml_assets.core.validation.violations import KEY_RULES

    of_key, of_columns = contract_check_names(spec)
    # Few lines a day: plain lists, because a selection from a frame for each column of each day took seconds in a
    # backfill.
    broken = violations.to_dict("records")
    found = [_outcome(spec, of_key, day, [line for line in broken if line["rule"] in KEY_RULES], has_rows)]
    for column, check in of_columns.items():
        of_column = [line for line in broken if line["column"] == column and line["rule"] not in KEY_RULES]
        found.append(_outcome(spec, check, day, of_column, has_rows))
    return found


def _outcome(spec: Contract, check: str, day: date, broken: list[dict], has_rows: bool) -> CheckOutcome:
    if not has_rows:
        return CheckOutcome(check, day, None, NO_ROWS)
    if not broken:
        return CheckOutcome(check, day, True, "no rule is broken")
    limit = spec.quality.max_rule_share
    failing = [line["severity"] for line in broken if line["share"] > limit]
    severity: Severity = "error" if not failing or "error" in failing else "warn"
    # A rule that fails with an error is worse than any that does not.
    ordered = sorted(
        broken,
        key=lambda line: (not (line["share"] > limit and line["severity"] == "error"), -line["rows"], line["rule"]),
    )
    lines = [{name: line[name] for name in _LINE} for line in ordered]
    worst, others = lines[0], f"; {len(lines) - 1} more of its rules are broken" if len(lines) > 1 else ""
    reason = (
        f"{worst['rule']}: {worst['rows']:,} rows ({worst['share']:.2%}), {_compared(worst['share'], limit)}{others}"
    )
    return CheckOutcome(check, day, not failing, reason, severity, lines)


def _compared(share: float, limit: float) -> str:
    return f"{'more' if share > limit else 'not more'} than quality.max_rule_share {limit:.2%}"
