"""Small models are trained side by side, and come out as if each were trained by itself."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.failures.classification import is_of_data
from ml_assets.core.training.progress import Progress
from ml_assets.pipeline.engine.chunks import ChunkSettings
from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.engine.stage import CannotMake
from ml_assets.pipeline.graph.stages import StageBuilder
from ml_assets.pipeline.training.stage import ModelTraining
from ml_assets.resources.lake.errors import DamagedDay
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day
from ml_assets_tests.pipeline.worlds import world_with_features

SPEC = ModelSpec.model_validate(
    {**SMALL, "compute": {"cpu": 2}, "training": {**SMALL["training"], "rounds": 6, "checkpoint_rounds": 2}}
)
# The first model is that of day 10.
DAYS = [day(number) for number in range(8, 14)]
ONE_BY_ONE = ChunkSettings(memory=0)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world_with_features(tmp_path_factory.mktemp("world"), SPEC)


@pytest.fixture
def copy(world: World, tmp_path: Path) -> World:
    return world.copy(tmp_path)


def training_of(world: World, log=lambda line: None, **options) -> ModelTraining:
    return StageBuilder(SPEC, world.lake, world.landing).training(log, **options)


def rows(world: World) -> dict[date, dict]:
    stage = training_of(world)
    return {model_day: stage.row(model_day) for model_day in DAYS}


def make(stage: ModelTraining, **options) -> list[date]:
    return [outcome.day for outcome in make_days(stage, DAYS, "run", single_partition=False, **options)]


@pytest.mark.slow
def test_models_are_the_same_as_if_each_were_trained_by_itself(world, tmp_path):
    alone, together = world.copy(tmp_path / "alone"), world.copy(tmp_path / "together")
    assert make(training_of(alone), chunks=ONE_BY_ONE) == make(training_of(together)) == DAYS
    assert rows(alone) == rows(together)
    assert [row["model_digest"] is None for row in rows(together).values()] == [True] * 2 + [False] * 4
    assert "the first day that has a model is" in rows(together)[day(8)]["problem"]


def test_models_are_trained_in_other_threads_and_reported_in_this_one(copy, monkeypatch):
    trained, reported, lines = set(), set(), []
    from ml_assets.core.training.engines.local import LocalEngine

    plain = LocalEngine.data
    monkeypatch.setattr(
        LocalEngine, "data", lambda *arguments: trained.add(threading.current_thread()) or plain(*arguments)
    )

    def log(line: str) -> None:
        reported.add(threading.current_thread())
        lines.append(line)

    make(training_of(copy, log))
    assert threading.current_thread() not in trained
    assert 1 <= len(trained) <= 2
    assert reported == {threading.current_thread()}
    assert sorted({line.split(":")[0] for line in lines}) == [str(day(number)) for number in range(10, 14)]


def test_damaged_rows_of_one_model_fail_no_other(copy, monkeypatch):
    stage = training_of(copy)
    plain = stage.reader

    def reader(model_day: date):
        if model_day == day(11):
            raise DamagedDay("small/features", "a.parquet", model_day, FileNotFoundError("a file is gone"))
        return plain(model_day)

    monkeypatch.setattr(stage, "reader", reader)
    with pytest.raises(CannotMake, match=r"a\.parquet, with rows of 2025-01-11, is gone") as raised:
        make(stage)
    assert not is_of_data(raised.value)
    assert [row["model_digest"] is None for row in rows(copy).values()] == [True, True, False, True, False, False]


@pytest.mark.parametrize("number", [10, 12])
def test_a_transient_error_ends_the_run_and_leaves_no_thread(copy, monkeypatch, number):
    stage = training_of(copy)
    plain = stage.provenance

    def provenance(model_day: date, *arguments):
        if model_day == day(number):
            raise OSError("connection reset")
        return plain(model_day, *arguments)

    monkeypatch.setattr(stage, "provenance", provenance)
    with pytest.raises(OSError, match="connection reset"):
        make(stage)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("task")]


def test_checkpoints_of_an_earlier_run_are_used(copy, monkeypatch):
    lines: list[str] = []
    stage = training_of(copy)
    monkeypatch.setattr(stage, "provenance", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        make(stage)
    make(training_of(copy, lines.append))
    assert f"{day(10)}: early_stopping: an earlier run was interrupted; resuming after round 6 of at most 6" in lines


def test_each_model_is_followed_until_its_own_end(copy, monkeypatch):
    monkeypatch.setattr("ml_assets.core.training.progress.SECONDS_BETWEEN", 0.0)
    events: list[tuple[date, str]] = []

    @contextmanager
    def follow(model_day: date):
        def report(progress: Progress) -> None:
            assert threading.current_thread() is threading.main_thread()
            if (model_day, progress.phase) not in events:
                events.append((model_day, progress.phase))

        try:
            yield report
        except BaseException as error:
            events.append((model_day, type(error).__name__))
            raise
        events.append((model_day, "end"))

    stage = training_of(copy, follow=follow)
    outputs = stage.make(DAYS, False)
    assert isinstance(outputs, Generator)
    for _ in range(3):
        next(outputs)
    assert [event for event in events if event[0] == day(10)] == [
        (day(10), "early_stopping"),
        (day(10), "refit"),
        (day(10), "end"),
    ]
    outputs.close()
    ends = {model_day: event for model_day, event in events if event in ("end", "GeneratorExit")}
    assert ends == {day(10): "end", day(11): "GeneratorExit", day(12): "GeneratorExit", day(13): "GeneratorExit"}


def test_models_with_work_for_all_threads_are_trained_one_at_a_time(world, monkeypatch):
    stage = training_of(world)
    assert stage.memory(DAYS[-2:])
    monkeypatch.setattr("ml_assets.core.training.engines.local.VALUES_PER_THREAD", 10)
    assert stage.memory(DAYS[-2:]) is None
