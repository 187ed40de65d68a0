"""Fixtures of the service tests: a lake with two registered models, and the service as a real HTTP server."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from ml_assets.cli.commands.serve import build_app
from ml_assets.core.model_spec import ModelSpec
from ml_assets.defs.settings import Settings
from ml_assets.pipeline.asset_names import MODEL_ASSETS
from ml_assets.service.limits import Limits
from ml_assets.service.server.run import server_config
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day
from ml_assets_tests.pipeline.worlds import world_with_features
from ml_assets_tests.support.http_server import free_port

if TYPE_CHECKING:
    from starlette.applications import Starlette

LAST = 13
QUICK = {"registry_seconds": 0.2, "history_seconds": 0.2}
SPEC = ModelSpec.model_validate(
    {
        **SMALL,
        "features": [
            {"kind": "column", "columns": ["amount"]},
            {"kind": "calendar", "parts": ["hour"]},
            {"kind": "categorical", "columns": ["card"]},
            {
                "kind": "window",
                "key": "card",
                "value": "amount",
                "aggregates": ["count", "mean", "std", "max"],
                "windows": ["1d", "3d"],
            },
            {"kind": "window", "value": "amount", "aggregates": ["zscore"], "last_rows": [20], "within": "2d"},
            {
                "kind": "window",
                "key": "card",
                "value": "label",
                "aggregates": ["mean"],
                "windows": ["2d"],
                "delay": "2d",
            },
        ],
    }
)


class RunningService:
    """The service at an address, and the world whose models it serves."""

    def __init__(self, world: World, address: str) -> None:
        self.world, self.address = world, address
        self.client = httpx.Client(base_url=address)
        self.mlflow = world.registry.client

    def score(self, row: dict, **parameters) -> httpx.Response:
        """Return the response to one row."""
        return self.client.post("/score", json=row, params=parameters)

    def state(self) -> dict:
        """Return the body of /ready."""
        return self.client.get("/ready").json()

    def wait_until(self, condition: Callable[[dict], bool]) -> dict:
        """Wait until the body of /ready meets a condition; return it."""
        end = time.monotonic() + 180
        while not condition(state := self.state()):
            assert time.monotonic() < end, state
            time.sleep(0.02)
        return state

    def wait_for(self, **expected) -> dict:
        """Wait until the body of /ready has these values; return it."""
        return self.wait_until(lambda state: all(state[name] == value for name, value in expected.items()))

    def release(self, champion: int, challenger: int | None = None, percent: int = 0) -> None:
        """Set the aliases and the percentage, and wait until the service has loaded them."""
        name = self.world.spec.name
        if challenger is not None:
            self.mlflow.set_registered_model_alias(name, "challenger", str(challenger))
        else:
            self.mlflow.delete_registered_model_alias(name, "challenger")
        self.mlflow.set_registered_model_alias(name, "champion", str(champion))
        self.mlflow.set_registered_model_tag(name, "canary_percent", str(percent))
        self.wait_for(champion=champion, challenger=challenger, canary_percent=percent, problem=None)


def request_of(row: dict) -> dict:
    """Return a row of `rows_of` as the body of a request."""
    return {
        **{name: value for name, value in row.items() if name != "label"},
        "event_time": f"{row['event_time'].isoformat()}Z",
    }


@contextmanager
def serving(world: World, **values) -> Iterator[RunningService]:
    """Run the service of a world on a free port of the loopback interface until the block ends."""
    settings = Settings("local", world.landing.uri, world.lake.uri, world.registry.tracking_uri, "", "", world.lake.s3)
    limits = Limits(**{**QUICK, **values})
    app = build_app(world.spec, settings, limits)
    with listening(app, limits) as port:
        yield RunningService(world, f"http://127.0.0.1:{port}")


@contextmanager
def listening(app: "Starlette", limits: Limits) -> Iterator[int]:
    """Run an application on a free port of the loopback interface until the block ends; yield the port."""
    import uvicorn

    port = free_port()
    server = uvicorn.Server(server_config(app, limits, "127.0.0.1", port))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(timeout=120)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> World:
    """13 days from landing to features, and the models of days 12 and 13 as versions 1 and 2, the second the champion.
    Read-only.
    """
    root = tmp_path_factory.mktemp("served")
    world = world_with_features(root, SPEC)
    world.run(list(MODEL_ASSETS), day(12), day(13))
    world.registry.client.set_registered_model_alias(SPEC.name, "champion", "2")
    return world


@pytest.fixture
def world(original: World, tmp_path: Path) -> World:
    """A copy of the original world that a test may change."""
    return original.copy(tmp_path)


@pytest.fixture
def served(world: World) -> Iterator[RunningService]:
    """The service of such a copy, ready to score."""
    with serving(world) as served:
        served.wait_for(ready=True, problem=None)
        yield served


@pytest.fixture
def row() -> dict:
    """A valid row of the day after the history, as the body of a request."""
    time = datetime.combine(day(LAST + 1), datetime.min.time()) + timedelta(hours=9)
    return {"id": 5, "event_time": f"{time.isoformat()}Z", "card": "card-3", "amount": 12.5}
