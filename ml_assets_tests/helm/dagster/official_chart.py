"""The official Dagster chart itself, where it is at hand, rendered by Helm with our values."""

import os
import warnings
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import helm_python
import yaml

from ml_assets_tests.helm.charts import NAMESPACE, Manifest, dagster_values, merged

# A path to the folder of the chart, or to its archive.
OFFICIAL = os.environ.get("DAGSTER_CHART")
# The name of the release in README.md, on which names of services and jobs depend.
RELEASE = "dagster"


def where_it_is_at_hand(test: Callable[..., None]) -> Callable[..., None]:
    """A test of the official chart, which says so where there is none."""

    @wraps(test)
    def tested(*arguments: Any, **named: Any) -> None:
        if OFFICIAL is None:
            warnings.warn("DAGSTER_CHART is not set: the official chart was not rendered with our values", stacklevel=1)
            return
        test(*arguments, **named)

    return tested


def render(values: dict[str, Any]) -> list[Manifest]:
    """The official chart, rendered by Helm, which holds the values against the chart's schema first."""
    assert OFFICIAL is not None
    with helm_python.Chart.load(OFFICIAL) as chart:
        rendered = chart.render(values, name=RELEASE, namespace=NAMESPACE)
    manifests = [text for name, text in rendered.items() if name.endswith(".yaml")]
    return [document for text in manifests for document in yaml.safe_load_all(text) if document]


@cache
def official(place: str) -> list[Manifest]:
    """What is installed at a place, with the job of an upgrade that brings the database up to date."""
    return render(merged(dagster_values(place), {"migrate": {"enabled": True}}))
