"""Warm-up of window features: on their first days, windows begin before the start of the source."""

from collections.abc import Iterator
from datetime import date, timedelta

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import CustomFeatures, WindowAggregate

DAY = timedelta(days=1)


def find_first_complete_days(spec: ModelSpec) -> dict[str, date]:
    """Return, by feature, the first day whose windows do not begin before `source.start`."""
    # Round up, because the windows of the first rows of a day begin on an earlier day.
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
