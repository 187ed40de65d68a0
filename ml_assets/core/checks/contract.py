"""Contract checks: for each column, the share of rows of a day that violate one of its rules."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.counts import count
from ml_assets.core.model_spec.checks.check import Severity, contract_check_name
from ml_assets.core.model_spec.file_feed import ROW_KEY, Contract

if TYPE_CHECKING:
    import pandas as pd

_DETAIL_FIELDS = ["rule", "severity", "rows", "share", "sample"]
NO_ROWS = "the day has no rows"


def contract_check_names(spec: Contract) -> tuple[str, Mapping[str, str]]:
    """Return the name of the check of the row key, and the name of the check of each column.

    Dagster accepts letters, digits and underscores only. Names that become equal get a number appended.
    """
    names: list[str] = []
    for column in (ROW_KEY, *spec.columns):
        base_name = contract_check_name(column)
        unique_name, number = base_name, 2
        while unique_name in names:
            unique_name, number = f"{base_name}_{number}", number + 1
        names.append(unique_name)
    return names[0], dict(zip(spec.columns, names[1:], strict=True))


def evaluate_contract_checks(
    spec: Contract, day: date, violations: "pd.DataFrame", has_rows: bool = True
) -> list[CheckOutcome]:
    """Evaluate the check of the row key and the check of each column for one day.

    A check passes unless the share of landed rows that violate one of its rules exceeds `quality.max_rule_share`. It
    fails with an error if one of the failing rules has the severity error. A day without rows is not evaluated.

    Args:
        spec: the contract of the files.
        day: the day.
        violations: rule violations of the day, with the columns of `VIOLATION_COLUMNS`; empty if there are none.
        has_rows: whether any rows landed.
    """
    from ml_assets.core.validation.violations import KEY_RULES

    key_check, column_checks = contract_check_names(spec)
    # A day has few violations, so plain lists are used: selecting from a frame for each column and day took seconds in
    # a backfill.
    records = violations.to_dict("records")
    outcomes = [_outcome(spec, key_check, day, [row for row in records if row["rule"] in KEY_RULES], has_rows)]
    for column, check in column_checks.items():
        column_records = [row for row in records if row["column"] == column and row["rule"] not in KEY_RULES]
        outcomes.append(_outcome(spec, check, day, column_records, has_rows))
    return outcomes


def _outcome(spec: Contract, check: str, day: date, violations: list[dict], has_rows: bool) -> CheckOutcome:
    if not has_rows:
        return CheckOutcome(check, day, None, NO_ROWS)
    if not violations:
        return CheckOutcome(check, day, True, "no rule is violated")
    limit = spec.quality.max_rule_share
    failing = [row["severity"] for row in violations if row["share"] > limit]
    severity: Severity = "error" if not failing or "error" in failing else "warn"
    # A rule that fails with an error ranks worse than any other.
    ranked = sorted(
        violations,
        key=lambda row: (not (row["share"] > limit and row["severity"] == "error"), -row["rows"], row["rule"]),
    )
    lines = [{name: row[name] for name in _DETAIL_FIELDS} for row in ranked]
    worst, others = lines[0], f"; {len(lines) - 1} more of its rules are violated" if len(lines) > 1 else ""
    comparison = f"{'more' if worst['share'] > limit else 'not more'} than quality.max_rule_share {limit:.2%}"
    reason = f"{worst['rule']}: {count(worst['rows'], 'row')} ({worst['share']:.2%}), {comparison}{others}"
    return CheckOutcome(check, day, not failing, reason, severity, lines)
