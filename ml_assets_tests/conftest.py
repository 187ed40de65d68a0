"""Fixtures that several folders share: a small specification, a real S3 server over HTTP."""

import copy
import gc
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks.checks import Checks
from ml_assets.defs.environment import configure_process
from ml_assets.resources.notifications.open_notifications import show_notifications
from ml_assets_tests.support.disk import do_not_wait_for_the_disk, keep_temporary_files_in_memory
from ml_assets_tests.support.http_server import free_port
from ml_assets_tests.support.library_caches import read_migrations_once, read_services_once
from ml_assets_tests.support.postgresql import PostgresqlServer

configure_process()
read_migrations_once()
read_services_once()
do_not_wait_for_the_disk()
keep_temporary_files_in_memory()
# For rules that hold for all inputs: `--hypothesis-profile thorough` tries many more.
# A busy machine is slow at any of them, so none of them has a deadline.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", unhurried, max_examples=10)
settings.register_profile("thorough", unhurried, max_examples=1000)
settings.load_profile("quick")

SMALL = {
    "name": "small",
    "source": {"files": "{day}/*", "start": "2025-01-01"},
    "columns": {
        "id": {"type": "integer"},
        "event_time": {"type": "timestamp"},
        "card": {"type": "string"},
        "amount": {"type": "number", "minimum": 0},
        "label": {"type": "integer", "allowed": [0, 1]},
    },
    "row_key": ["id"],
    "event_time": "event_time",
    "target": "label",
    "entity": "card",
    "label_delay": "2d",
    "features": [
        {"kind": "column", "columns": ["amount"]},
        {"kind": "window", "key": "card", "value": "amount", "aggregates": ["count", "mean"], "windows": ["1d"]},
    ],
    "training": {"window": "4d", "validation": "1d", "rounds": 5},
    "evaluation": {"holdout": "2d", "top_k": 5, "bootstrap_samples": 20},
    "gates": {"roc_auc": {"minimum": 0.5}},
    # Models of days this small differ by chance.
    "champion": None,
    "compute": {"cpu": 1},
    # Each of them is an event of every run, and most tests are about something else.
    "checks": {
        "contract": False,
        **{name: None for name, field in Checks.model_fields.items() if type(None) in get_args(field.annotation)},
    },
}
ASSETS = (
    "raw_data",
    "validated_data",
    "quarantined_data",
    "features",
    "trained_model",
    "evaluation",
    "model_registry_entry",
    "deployment",
    "predictions",
)
"""The assets of a model whose labels are in its rows and whose parameters are not searched."""
CHECKED = {**SMALL, "checks": {}}
"""The same with all checks as they are by default."""
BUCKET_NUMBERS = itertools.count(1)


FORKING = {
    f"ml_assets_tests/{module}"
    for module in (
        "pipeline/training/test_checkpoints.py",
        "resources/dagster_instance/test_first_use.py",
        "resources/release/test_ledger.py",
    )
}
"""Modules whose tests fork processes, of those that are not slow."""
SLOWEST = ("cli/commands/test_run.py", "test_postgresql.py", "pipeline", "service")
"""Where the slowest modules are. They go first, so that no worker is left with one of them at the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the slowest modules to the front; the order within a module stays."""
    tests = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        path = item.path.relative_to(tests).as_posix()
        return next((number for number, part in enumerate(SLOWEST) if path.startswith(part)), len(SLOWEST))

    items.sort(key=rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Send all modules whose tests fork processes to one worker: the server that forks them takes seconds to start."""
    return OneForkserver(config, log)


class OneForkserver(LoadFileScheduling):
    """Distribution by module that treats the modules that fork processes as one."""

    def _split_scope(self, nodeid: str) -> str:
        module = super()._split_scope(nodeid)
        return "forkserver" if module in FORKING else module


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the case on S3 as slow where it shows what the case in a directory and other tests on S3 show."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if item.get_closest_marker("slow_on_s3") and "s3" in parameters.values():
        item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Keep the modules that are imported by now out of garbage collection, which would go through them again and again
    for a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="module", autouse=True)
def no_notifications() -> None:
    """Forget the database that definitions of an earlier module gave to this process."""
    show_notifications(None)


@pytest.fixture
def small() -> dict:
    """Return the attributes of a small valid specification, to be changed at will."""
    return copy.deepcopy(CHECKED)


@pytest.fixture
def make_spec() -> Callable[..., ModelSpec]:
    """Return a function that builds the small specification with top-level fields replaced."""
    return lambda **changes: ModelSpec.model_validate({**copy.deepcopy(SMALL), **changes})


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Start a real S3 HTTP server (moto) on the loopback interface; return its address."""
    from moto.server import ThreadedMotoServer

    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, str]]:
    """Create a bucket; return its s3:// URI and the arguments of dagster-aws's S3Resource."""
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    s3 = {"endpoint_url": s3_server, "region_name": "us-east-1"}
    name = f"bucket-{next(BUCKET_NUMBERS)}"
    boto3.client("s3", **s3).create_bucket(Bucket=name)
    return f"s3://{name}/root", s3


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """Start a real PostgreSQL server on the loopback interface."""
    with PostgresqlServer() as server:
        yield server
