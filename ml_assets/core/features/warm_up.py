"""From which day on the windows of a feature reach only days that the source has; before, they fill up and grow from
day to day.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import CustomFeatures, WindowAggregate

DAY = timedelta(days=1)


def complete_from(spec: ModelSpec) -> dict[str, date]:
    """The first day, by name of the feature, that sees nothing before `source.start`."""
    # Rounded up: the first rows of a day reach into the day before.
    return {name: spec.source.start + -(-reach // DAY) * DAY for name, reach in _reaches(spec)}


def _reaches(spec: ModelSpec) -> Iterator[tuple[str, timedelta]]:
    for feature in spec.features:
        if isinstance(feature, WindowAggregate):
            for suffix, length, _ in feature.spans():
                yield from (
                    (feature.name(aggregate, suffix), length + feature.delay) for aggregate in feature.aggregates
                )
        else:
            reach = feature.reads if isinstance(feature, CustomFeatures) else timedelta(0)
            yield from ((name, reach) for name in feature.names())
