"""The check of the quality of predictions against the holdout of their model."""

from collections.abc import Mapping, Sequence
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks.model_checks import PredictionQualityCheck
from ml_assets.core.model_spec.types.metric_names import IN_UNIT_OF_TARGET, LOWER_IS_BETTER, lowest_difference


def evaluate_prediction_quality(
    check: str, day: date, rows: Sequence[Mapping[str, object]], settings: PredictionQualityCheck
) -> CheckOutcome:
    """Compare the metric of `settings` with its value on the holdout.

    It fails if the whole interval of an estimated or realised metric is worse than the holdout by more than `max_drop`.
    Days with too few rows or positives are not compared, because the interval of a single row has no width.

    Args:
        check: name of the check.
        day: the day.
        rows: the rows of prediction_quality of the day.
        settings: metric and bound.
    """
    of_metric = [row for row in rows if row["metric"] == settings.metric]
    lines, too_few = [_line(row) for row in of_metric], [_why_too_few(row, settings) for row in of_metric]
    comparable = [
        line
        for line, reason in zip(lines, too_few, strict=True)
        if line["high"] is not None and line["holdout_value"] is not None and reason is None
    ]
    if not comparable:
        notes = sorted({str(row["note"]) for row in of_metric if row["note"]} | {*filter(None, too_few)})
        reason = "; ".join(notes) or "there are no predictions whose quality is known"
        return CheckOutcome(check, day, None, reason, settings.severity, lines)
    failed = [line for line in comparable if _is_worse(line, settings)]
    sentences = "; ".join(_sentence(line, settings.metric) for line in failed or comparable)
    if failed:
        return CheckOutcome(
            check,
            day,
            False,
            f"{sentences}: worse by more than {_bound(settings)}, beyond chance",
            settings.severity,
            sorted(lines, key=lambda line: line not in failed),
        )
    return CheckOutcome(check, day, True, sentences, settings.severity, lines)


def _why_too_few(row: Mapping[str, object], settings: PredictionQualityCheck) -> str | None:
    for name, minimum in (("rows", settings.minimum_rows), ("positives", settings.minimum_positives)):
        number = row[name]
        if number is not None and row["high"] is not None and _number(number) < minimum:
            noun = name.removesuffix("s") if _number(number) == 1 else name
            has = f"{row['kind']} quality of {row['predicted_on']} is of {_number(number):.3g} {noun}"
            return f"{has}, fewer than {minimum} (minimum_{name})"
    return None


def _is_worse(line: Mapping[str, object], settings: PredictionQualityCheck) -> bool:
    holdout, is_lower_better = _number(line["holdout_value"]), settings.metric in LOWER_IS_BETTER
    # The end of the interval that is nearest to the holdout.
    difference = holdout - _number(line["low"]) if is_lower_better else _number(line["high"]) - holdout
    return difference < lowest_difference(settings.metric, settings.max_drop, holdout)


def _bound(settings: PredictionQualityCheck) -> str:
    share = " of that of the holdout" if settings.metric in IN_UNIT_OF_TARGET else ""
    return f"{settings.max_drop:g}{share}"


def _line(row: Mapping[str, object]) -> dict[str, object]:
    names = ("kind", "predicted_on", "side", "model_version", "value", "low", "high", "holdout_value", "rows", "note")
    return {**{name: row[name] for name in names}, "predicted_on": str(row["predicted_on"])}


def _sentence(line: Mapping[str, object], metric: str) -> str:
    value = f"{_number(line['value']):.3f}" if line["value"] is not None else "undefined"
    low, high, holdout = (f"{_number(line[name]):.3f}" for name in ("low", "high", "holdout_value"))
    return (
        f"{line['kind']} {metric} of version {line['model_version']} on {line['predicted_on']} is {value} "
        f"({low} to {high}), on its holdout {holdout}"
    )


def _number(value: object) -> float:
    assert isinstance(value, float | int)
    return float(value)
