"""Pictures are drawn in the tests of modules that are marked so; in the others figures are made, and not drawn."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from ml_assets_tests.support.plots import not_drawn


@pytest.fixture(scope="module", autouse=True)
def plots(request: pytest.FixtureRequest) -> Iterator[None]:
    """Before the worlds that the tests of a module share."""
    with nullcontext() if request.node.get_closest_marker("plots") else not_drawn():
        yield
