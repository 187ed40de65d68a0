"""Descriptions of feature columns in words, for the asset catalog."""

from datetime import timedelta

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import Calendar, Categorical, CustomFeatures, RowTransform, WindowAggregate

TRANSFORMS = {"column": "{}", "log1p": "ln(1 + {})", "sqrt": "square root of {}", "square": "square of {}"}
PARTS = {
    "hour": "hour of {}, 0 to 23",
    "weekday": "weekday of {}, 0 (Monday) to 6 (Sunday)",
    "month": "month of {}, 1 to 12",
    "weekend": "1 if {} is on a Saturday or Sunday, else 0",
}
AGGREGATES = {
    "sum": "sum of {value}",
    "mean": "mean of {value}",
    "std": "standard deviation of {value}",
    "min": "smallest {value}",
    "max": "largest {value}",
    "difference": "{value} minus its mean",
    "ratio": "{value} divided by its mean",
    "zscore": "{value} minus its mean, in standard deviations,",
}
UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))


def describe_features(spec: ModelSpec) -> dict[str, str]:
    """Describe each feature column, by its name, such as "mean of amount of the rows with the same customer_id in the
    last 7 days".
    """
    descriptions: dict[str, str] = {}
    for feature in spec.features:
        match feature:
            case RowTransform():
                texts = [TRANSFORMS[feature.kind].format(column) for column in feature.columns]
            case Categorical():
                texts = [f"{column}, as a category" for column in feature.columns]
            case Calendar():
                texts = [_describe_part(feature, part, f"{spec.event_time}") for part in feature.parts]
            case WindowAggregate():
                texts = [
                    _describe_aggregate(feature, aggregate, span, rows)
                    for _, span, rows in feature.spans()
                    for aggregate in feature.aggregates
                ]
            case CustomFeatures():
                texts = [f"computed by {feature.function}"] * len(feature.outputs)
        descriptions |= dict(zip(feature.names(), texts, strict=True))
    return descriptions


def _describe_part(feature: Calendar, part: str, event_time: str) -> str:
    if part == "night":
        first, last = feature.night_hours
        return f"1 if the hour of {event_time} is from {first} to {last}, else 0"
    return PARTS[part].format(event_time)


def _describe_aggregate(feature: WindowAggregate, aggregate: str, span: timedelta, rows: int | None) -> str:
    same = f" with the same {' and '.join(feature.key)}" if feature.key else ""
    until = f" that end {_describe_span(feature.delay)} before the row" if feature.delay else ""
    number = f"last {rows} " if rows else ""
    window = f"the {number}rows{same} in the last {_describe_span(span)}{until}"
    if aggregate == "count":
        return f"number of {window}"
    return f"{AGGREGATES[aggregate].format(value=feature.value)} {'over' if aggregate == 'zscore' else 'of'} {window}"


def _describe_span(span: timedelta) -> str:
    """Return a length of time in the largest unit that divides it."""
    name, unit = next(((name, unit) for name, unit in UNITS if span and not span % unit), UNITS[-1])
    number = int(span / unit)
    return f"{number} {name}{'' if number == 1 else 's'}"
