"""Plots are drawn only in the modules that are marked `plots`."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from ml_assets_tests.support.plots import skip_drawing


@pytest.fixture(scope="module", autouse=True)
def plots(request: pytest.FixtureRequest) -> Iterator[None]:
    """Skip drawing before the worlds that the tests of a module share are made."""
    with nullcontext() if request.node.get_closest_marker("plots") else skip_drawing():
        yield
