"""The official Dagster chart, if it is available, rendered by Helm with our values."""

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


def if_chart_is_available(test: Callable[..., None]) -> Callable[..., None]:
    """Decorate a test of the official chart, so that it only warns if the chart is not available."""

    @wraps(test)
    def run_test(*arguments: Any, **named: Any) -> None:
        if OFFICIAL is None:
            warnings.warn("DAGSTER_CHART is not set: the official chart was not rendered with our values", stacklevel=1)
            return
        test(*arguments, **named)

    return run_test


def render(values: dict[str, Any]) -> list[Manifest]:
    """Render the official chart by Helm, which first validates the values by the schema of the chart."""
    assert OFFICIAL is not None
    with helm_python.Chart.load(OFFICIAL) as chart:
        rendered = chart.render(values, name=RELEASE, namespace=NAMESPACE)
    manifests = [text for name, text in rendered.items() if name.endswith(".yaml")]
    return [document for text in manifests for document in yaml.safe_load_all(text) if document]


@cache
def official(place: str) -> list[Manifest]:
    """Render the manifests of a place, including the job that migrates the database in an upgrade."""
    return render(merged(dagster_values(place), {"migrate": {"enabled": True}}))
