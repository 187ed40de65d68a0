"""Other processes make chunks of days, and the tables come out as if this process had made them."""

import logging
import os
import time
from contextlib import nullcontext
from datetime import date
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import ENTRY, FEATURES, MODEL, RAW
from ml_assets.pipeline.engine.chunks import ChunkSettings
from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.graph.stages import StageBuilder
from ml_assets.pipeline.steps.chunk_pool import PRELOADED, chunk_settings
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of
from ml_assets_tests.support.forkserver import CONTEXT
from ml_assets_tests.support.forkserver.liveness import is_alive
from ml_assets_tests.support.lake_content import digests

DAYS = [day(number) for number in range(1, 6)]


def spec_of(**compute) -> ModelSpec:
    return ModelSpec.model_validate({**SMALL, "compute": {"cpu": 1, **compute}})


def make(world: World, lake: Path, settings: ChunkSettings) -> dict[tuple[str, date], str]:
    """Make raw_data to features of the days in a lake of their own; return the content of its tables."""
    builder = StageBuilder(world.spec, Lake(uri=str(lake)), Landing(uri=world.landing.uri))
    for stage in (builder.ingestion, builder.validation, builder.features):
        assert len(list(make_days(stage, DAYS, "run", single_partition=False, chunks=settings))) == len(DAYS)
    return digests(lake, world.spec.name)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, spec_of())
    for number in range(1, 6):
        world.land(day(number), rows_of(day(number), 12))
    return world


@pytest.mark.parametrize(
    "compute",
    [
        pytest.param({"parallel": {"processes": 2}}, id="processes"),
        pytest.param({"dask": {"workers": 2}}, id="dask", marks=pytest.mark.slow),
    ],
)
def test_the_tables_do_not_depend_on_who_makes_the_days(world, tmp_path, caplog, compute):
    settings = chunk_settings(spec_of(**compute), RAW, print)
    assert settings.open_pool
    with settings.open_pool() as pool, caplog.at_level(logging.WARNING, "ml_assets.days"):
        shared = ChunkSettings(settings.memory, settings.processes, lambda: nullcontext(pool))
        assert make(world, tmp_path / "remote", shared) == make(world, tmp_path / "here", ChunkSettings())
    assert "could not be made by another process" not in caplog.text


def test_the_processes_of_all_steps_start_from_one_server_that_has_imported_what_they_need():
    servers = set()
    for stage in (RAW, FEATURES):
        open_pool = chunk_settings(spec_of(parallel={"processes": 2}), stage, print).open_pool
        assert open_pool
        with open_pool() as pool:
            servers.add(pool.submit(os.getppid).result())
    assert len(servers) == 1
    # The server passes over a module that does not exist.
    assert [name for name in PRELOADED if find_spec(name) is None] == []


def test_leaving_the_pool_ends_what_its_processes_still_do():
    open_pool = chunk_settings(spec_of(parallel={"processes": 2}), RAW, print).open_pool
    assert open_pool
    begun = time.monotonic()
    with open_pool() as pool:
        pool.submit(os.getpid).result()
        pool.submit(time.sleep, 600)
    assert time.monotonic() - begun < 300


@pytest.mark.slow
def test_the_processes_end_with_a_step_that_is_killed(tmp_path):
    receiver, sender = CONTEXT.Pipe(duplex=False)
    step = CONTEXT.Process(target=wait_in_pool, args=(sender,))
    step.start()
    worker = receiver.recv()
    assert is_alive(worker)
    step.kill()
    step.join()
    deadline = time.monotonic() + 60
    while is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(worker)


def wait_in_pool(sender: Connection) -> None:
    """Open the pool of a step, send the number of one of its processes, and wait for another one."""
    open_pool = chunk_settings(spec_of(parallel={"processes": 2}), RAW, print).open_pool
    assert open_pool
    with open_pool() as pool:
        sender.send(pool.submit(os.getpid).result())
        pool.submit(time.sleep, 600).result()


class Broken:
    """A pool whose processes have ended."""

    def submit(self, *arguments: object) -> object:
        class Future:
            def result(self) -> None:
                raise RuntimeError("a process was killed")

            def cancel(self) -> None:
                """Nothing runs."""

        return Future()


@pytest.mark.slow
def test_days_of_processes_that_ended_are_made_here(world, tmp_path, caplog):
    broken = ChunkSettings(2**30, 2, lambda: nullcontext(Broken()))  # type: ignore[arg-type]
    assert make(world, tmp_path / "broken", broken) == make(world, tmp_path / "here", ChunkSettings())
    assert "2 days could not be made by another process" in caplog.text


def test_without_processes_or_a_cluster_this_process_makes_all():
    assert chunk_settings(spec_of(), RAW, print).open_pool is None


def test_only_the_steps_from_landed_files_to_features_use_other_processes():
    spec = spec_of(parallel={"processes": 2})
    assert [bool(chunk_settings(spec, name, print).open_pool) for name in (RAW, FEATURES, MODEL, ENTRY)] == [
        True,
        True,
        False,
        False,
    ]
