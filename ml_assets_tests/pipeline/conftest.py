"""Pictures are drawn in the tests of modules that are marked so; in the others figures are made, and not drawn."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from ml_assets_tests.pictures import not_drawn


@pytest.fixture(scope="module", autouse=True)
def pictures(request: pytest.FixtureRequest) -> Iterator[None]:
    """Before the worlds that the tests of a module share."""
    with nullcontext() if request.node.get_closest_marker("pictures") else not_drawn():
        yield
