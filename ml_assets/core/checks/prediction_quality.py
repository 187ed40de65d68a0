"""The check of the quality of predictions against the holdout of their model."""

from collections.abc import Mapping, Sequence
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks import PredictionQualityCheck


def evaluate_prediction_quality(
    check: str, day: date, rows: Sequence[Mapping[str, object]], settings: PredictionQualityCheck
) -> CheckOutcome:
    """Compare the metric of `settings` with its value on the holdout.

    It fails where the whole interval of an estimated or realised metric lies more than `max_drop` below the holdout.

    Args:
        check: name of the check.
        day: the day.
        rows: the rows of prediction_quality of the day.
        settings: metric and bound.
    """
    lines = [_line(row) for row in rows if row["metric"] == settings.metric]
    comparable = [line for line in lines if line["high"] is not None and line["holdout_value"] is not None]
    if not comparable:
        notes = sorted({str(row["note"]) for row in rows if row["metric"] == settings.metric and row["note"]})
        reason = "; ".join(notes) or "there are no predictions whose quality is known"
        return CheckOutcome(check, day, None, reason, settings.severity, lines)
    failed = [line for line in comparable if _number(line["high"]) < _number(line["holdout_value"]) - settings.max_drop]
    sentences = "; ".join(_sentence(line, settings.metric) for line in failed or comparable)
    if failed:
        return CheckOutcome(
            check,
            day,
            False,
            f"{sentences}: lower by more than {settings.max_drop:g}, beyond chance",
            settings.severity,
            sorted(lines, key=lambda line: line not in failed),
        )
    return CheckOutcome(check, day, True, sentences, settings.severity, lines)


def _line(row: Mapping[str, object]) -> dict[str, object]:
    names = ("kind", "predicted_on", "side", "model_version", "value", "low", "high", "holdout_value", "rows", "note")
    return {**{name: row[name] for name in names}, "predicted_on": str(row["predicted_on"])}


def _sentence(line: Mapping[str, object], metric: str) -> str:
    value = f"{_number(line['value']):.3f}" if line["value"] is not None else "undefined"
    return (
        f"{line['kind']} {metric} of version {line['model_version']} on {line['predicted_on']} is {value} "
        f"({_number(line['low']):.3f} to {_number(line['high']):.3f}), on its holdout "
        f"{_number(line['holdout_value']):.3f}"
    )


def _number(value: object) -> float:
    assert isinstance(value, float | int)
    return float(value)
