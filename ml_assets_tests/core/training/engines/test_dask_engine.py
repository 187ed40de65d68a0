"""Two workers of a real Dask cluster read the days themselves and train the model of one process."""

import json
import os
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from distributed import Client, LocalCluster
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.model.preprocessing import PreprocessingFit
from ml_assets.core.training.batches import LabelledDays
from ml_assets.core.training.engines import engine as engines
from ml_assets.core.training.engines.dask_cluster import ClusterUnavailable, WorkerExecutor
from ml_assets.core.training.engines.dask_engine import DaskEngine, divide_rows, read_pieces
from ml_assets.core.training.train import train
from ml_assets_tests.core.training import test_train as cases
from ml_assets_tests.core.training.engines.test_local import METRICS_WITHIN
from ml_assets_tests.core.training.test_boosting import Kept

DAYS = [date(2025, 1, 1) + timedelta(days=n) for n in range(6)]


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


class Noting:
    """Reads days, and notes in a directory which process read which."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __call__(self, day):
        open(f"{self.folder}/{os.getpid()}-{day}", "w").close()
        return cases._day(day)


class OpenedByWorkers:
    """Reads days, and cannot be unpickled by the scheduler, which a local cluster has in the process of the client."""

    def __call__(self, day):
        return cases._day(day)

    def __reduce__(self):
        return _open_outside, (os.getpid(),)


def _open_outside(process):
    if os.getpid() == process:
        raise PermissionError("the scheduler has no credentials")
    return cases._day


@pytest.fixture
def on_cluster(client, monkeypatch):
    """Training on the cluster of this module."""

    @contextmanager
    def opened(name, use, log):
        yield client

    monkeypatch.setattr("ml_assets.core.training.engines.dask_cluster.open_cluster", opened)
    return lambda read_day=cases._day, checkpoints=None, lines=None, **changes: train(
        cases._spec(engine="dask", **changes),
        cases.SPLIT,
        read_day,
        (lines if lines is not None else []).append,
        checkpoints=checkpoints,
    )


@pytest.mark.slow
def test_two_workers_give_the_metrics_of_one_process(on_cluster):
    single_partition, together = (
        train(cases._spec(batch_rows=100), cases.SPLIT, cases._day, lambda line: None),
        on_cluster(batch_rows=100),
    )
    assert json.loads(together.preprocessing)["features"] == json.loads(single_partition.preprocessing)["features"]
    assert together.metrics == pytest.approx(single_partition.metrics, abs=METRICS_WITHIN)
    assert (together.rows, together.positives, together.rounds) == (
        single_partition.rows,
        single_partition.positives,
        single_partition.rounds,
    )


@pytest.mark.slow
def test_the_scheduler_opens_nothing(on_cluster, client):
    assert on_cluster(OpenedByWorkers()).rows
    day = cases.SPLIT.window[0]
    assert len(WorkerExecutor(client).submit(_read, OpenedByWorkers(), day).result(60)) == len(cases._day(day))


def _read(read_day, day):
    return read_day(day)


@pytest.mark.slow
def test_workers_read_the_days_themselves_and_share_them(on_cluster, tmp_path):
    on_cluster(Noting(tmp_path))
    read = {}
    for name in os.listdir(tmp_path):
        process, day = name.split("-", 1)
        read.setdefault(int(process), set()).add(date.fromisoformat(day))
    workers = {process: days for process, days in read.items() if process != os.getpid()}
    assert len(workers) == 2
    assert set.union(*workers.values()) == set(cases.SPLIT.window)
    assert all(days < set(cases.SPLIT.window) for days in workers.values())


@pytest.mark.slow
def test_interrupted_training_resumes_from_its_checkpoint(on_cluster):
    options = {"checkpoint_rounds": 5}
    whole, interrupted, lines = on_cluster(**options), Kept(die_at=2), []
    with pytest.raises(InterruptedError):
        on_cluster(checkpoints=interrupted, **options)
    again = on_cluster(checkpoints=interrupted, lines=lines, **options)
    assert any(
        "early_stopping: an earlier run was interrupted; resuming after round 10 of at most 12" in line
        for line in lines
    )
    assert again.metrics == pytest.approx(whole.metrics, abs=METRICS_WITHIN)
    assert len(again.learning_curve["logloss"]) == len(whole.learning_curve["logloss"])


@pytest.mark.slow
def test_progress_comes_from_the_workers(on_cluster, monkeypatch):
    monkeypatch.setattr("ml_assets.core.training.progress.SECONDS_BETWEEN", 0.0)
    lines = []
    on_cluster(lines=lines)
    assert sum(line.startswith("early_stopping: round ") and "logloss" in line for line in lines) >= 1
    assert sum(line.startswith("refit: round ") for line in lines) >= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "expected", "message"),
    [
        (ConnectionError("the lake is gone"), ConnectionError, "the lake is gone"),
        (
            ModuleNotFoundError("none", name="deltalake"),
            ClusterUnavailable,
            "the workers have no package deltalake; their image needs ml_assets with",
        ),
    ],
)
def test_an_error_of_a_worker_is_raised(on_cluster, error, expected, message):
    here = os.getpid()

    def read_day(day):
        if os.getpid() != here:
            raise error
        return cases._day(day)

    with pytest.raises(expected, match=message):
        on_cluster(read_day)


@pytest.mark.slow
def test_local_workers_do_not_share_a_gpu(client):
    lines = []
    spec = cases._spec(engine="dask").model_copy(update={"compute": cases.SPEC.compute.model_copy(update={"gpu": 1})})
    assert DaskEngine(spec, LabelledDays(spec, cases._day), client, lines.append).device == "cpu"
    assert lines == [
        "warning: compute.gpu is 1, but local Dask workers would share a GPU, which XGBoost refuses; "
        "training on the CPU"
    ]


@pytest.mark.slow
def test_each_worker_of_a_cluster_checks_its_gpu(client):
    client.run(os.environ.__setitem__, "CUDA_VISIBLE_DEVICES", "-1")
    lines = []
    spec = cases._spec(engine="dask", dask={"address": client.scheduler.address})
    spec = spec.model_copy(update={"compute": cases.SPEC.compute.model_copy(update={"gpu": 1})})
    assert DaskEngine(spec, LabelledDays(spec, cases._day), client, lines.append).device == "cpu"
    assert len(lines) == 1
    assert "no CUDA device is usable here" in lines[0]


@pytest.mark.slow
def test_the_engine_is_the_one_of_the_specification(on_cluster):
    spec = cases._spec(engine="dask")
    with engines.open_engine(spec, LabelledDays(spec, cases._day), lambda line: None) as engine:
        assert isinstance(engine, DaskEngine)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any), st.integers(1, 7), st.integers(1, 5))
def test_rows_are_divided_into_equal_parts_in_order(counts, most, workers):
    rows = list(zip(DAYS, counts, strict=False))
    cut = divide_rows(rows, most, workers)
    covered = [(day, row) for pieces in cut for day, first, last in pieces for row in range(first, last)]
    assert covered == [(day, row) for day, count in rows for row in range(count)]
    sizes = [sum(last - first for _, first, last in pieces) for pieces in cut]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= most
    assert len(cut) >= min(workers, sum(counts))


def test_pieces_are_the_rows_of_their_days():
    spec = cases.SPEC
    fitting = PreprocessingFit(spec)
    fitting.add(cases._day(DAYS[0]))
    days = LabelledDays(spec, cases._day)
    matrix, labels, weights = read_pieces(spec, cases._day, fitting.fitted(), [(DAYS[0], 100, 120), (DAYS[1], 0, 3)])
    whole = [days.matrix(day, fitting.fitted()) for day in DAYS[:2]]
    assert matrix.tolist() == [*whole[0][0][100:].tolist(), *whole[1][0][:3].tolist()]
    assert labels.tolist() == [*whole[0][1][100:].tolist(), *whole[1][1][:3].tolist()]
    assert weights is None
