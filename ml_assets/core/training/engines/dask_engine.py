"""Boosting on a Dask cluster: workers read the days themselves, and XGBoost sums their histograms."""

import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from ml_assets.core.model.scorer import column_types
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.batches import Batch, LabelledDays, ReadDay
from ml_assets.core.training.boosting import OnRound, Segment, Train, to_bytes
from ml_assets.core.training.engines.dask_cluster import for_workers
from ml_assets.core.training.engines.device import choose_device
from ml_assets.core.training.engines.operator_cluster import ClusterUnavailable

if TYPE_CHECKING:
    from distributed import Client

Piece = tuple[date, int, int]
"""A day, and the positions of its first labelled row and after its last."""


class DaskEngine:
    """Trains on the workers of a Dask cluster.

    The rows of the days, in order, are divided into parts of equal size, with at most `batch_rows` rows and at least
    one part for each worker. A worker reads the days of its parts through `read_day`, and keeps them as float32
    together with XGBoost's quantized matrix. So the memory of a worker grows with its share of the rows, and the memory
    of this process does not grow. The sum over workers has no fixed order: two runs of training may differ by rounding.

    Args:
        spec: the model.
        days: the rows; each day has been read once, so their numbers are known.
        client: client of the cluster.
        log: receives a line when a GPU is specified but not usable.
    """

    restarts = True

    def __init__(self, spec: ModelSpec, days: LabelledDays, client: "Client", log: Callable[[str], None]):
        self._spec, self._days, self._client = spec, days, client
        self._workers = sorted(client.nthreads())
        self.device = self._choose_device(log)

    @contextmanager
    def data(self, preprocessing: dict, train_on: list[date], watch: list[date] | None) -> Iterator[Train]:
        """Yield the function that trains on some days and validates on others; the workers free their rows
        afterwards."""
        from xgboost import dask as xgboost_dask

        matrix = self._quantized(preprocessing, train_on)
        watched = [(self._quantized(preprocessing, watch, matrix), "validation")] if watch else []

        def train(segment: Segment, on_round: OnRound) -> tuple[bytes, Mapping[str, list[float]]]:
            import xgboost as xgb

            before = xgb.Booster(model_file=bytearray(segment.begun.model)) if segment.begun.model else None
            topic = f"ml_assets-{uuid4().hex}"
            run_training = partial(
                xgboost_dask.train,
                self._client,
                {**segment.parameters, "device": self.device},
                matrix,
                segment.rounds,
                evals=watched,
                xgb_model=before,
                callbacks=[_worker_callback(segment, topic)],
                verbose_eval=False,
            )
            result = self._report_rounds(topic, run_training, on_round)
            return to_bytes(result["booster"]), result["history"].get("validation", {})

        yield train

    def _quantized(self, preprocessing: dict, days: list[date], reference=None):
        import dask.array as da
        from xgboost.dask import DaskQuantileDMatrix

        types, client = column_types(preprocessing), self._client
        read = for_workers(partial(read_pieces, self._spec, self._days.read_day, preprocessing))
        divided = divide_rows(
            [(day, self._days.rows[day]) for day in days], self._spec.training.batch_rows, len(self._workers)
        )
        parts, matrices, labels, weights = [], [], [], []
        for number, pieces in enumerate(divided):
            worker = self._workers[number * len(self._workers) // len(divided)]
            placement: dict[str, Any] = {"workers": [worker], "allow_other_workers": True, "pure": False}
            part, rows = client.submit(read, pieces, **placement), sum(last - first for _, first, last in pieces)
            parts.append(part)
            matrices.append(da.from_delayed(client.submit(_item, part, 0, **placement), (rows, len(types)), np.float32))
            labels.append(da.from_delayed(client.submit(_item, part, 1, **placement), (rows,), np.float32))
            if self._spec.sample_weight is not None:
                weights.append(da.from_delayed(client.submit(_item, part, 2, **placement), (rows,), np.float32))
        _raise_errors(parts)
        shape = {
            "max_bin": self._spec.training.parameters.max_bin,
            "ref": reference,
            "feature_types": types,
            "enable_categorical": True,
            **({"weight": da.concatenate(weights)} if weights else {}),
        }
        return DaskQuantileDMatrix(client, da.concatenate(matrices), da.concatenate(labels), **shape)

    def _report_rounds(self, topic: str, run_training: Callable[[], Any], on_round: OnRound):
        """Run training in another thread, and report here the rounds that the first worker publishes."""
        events: queue.SimpleQueue = queue.SimpleQueue()
        self._client.subscribe_topic(topic, lambda event: events.put(event[1]))
        curve: dict[str, list[float]] = {}
        try:
            with ThreadPoolExecutor(1) as pool:
                running = pool.submit(run_training)
                while not running.done():
                    try:
                        done, metrics = events.get(timeout=0.2)
                    except queue.Empty:
                        continue
                    for name, value in metrics.items():
                        curve.setdefault(name, []).append(value)
                    on_round(done, curve, None)
                return running.result()
        finally:
            self._client.unsubscribe_topic(topic)

    def _choose_device(self, log: Callable[[str], None]) -> str:
        gpus, settings = self._spec.compute.gpu, self._spec.training.dask
        if not gpus:
            return "cpu"
        if settings.address is None and settings.kubernetes is None:
            log(
                f"warning: compute.gpu is {gpus}, but local Dask workers would share a GPU, which XGBoost refuses; "
                "training on the CPU"
            )
            return "cpu"
        # The client returns a coroutine only in asynchronous mode.
        devices: Any = self._client.run(_device_here, gpus)
        lines = [f"{worker}: {line}" for worker, (_, logged) in devices.items() for line in logged]
        for line in lines[:1]:
            log(f"{line} on all workers" if len(devices) > 1 else line)
        return "cuda" if all(device == "cuda" for device, _ in devices.values()) else "cpu"


def divide_rows(rows: Sequence[tuple[date, int]], most: int, workers: int) -> list[list[Piece]]:
    """Divide the rows of days, in order, into parts whose sizes differ by at most one row.

    The number of parts is the smallest with at most `most` rows each, but at least the number of workers, and at most
    the number of rows.

    Args:
        rows: number of labelled rows of each day.
        most: maximum number of rows of a part.
        workers: number of workers of the cluster.
    """
    total = sum(count for _, count in rows)
    parts = min(total, max(workers, -(-total // most)))
    bounds = [total * number // parts for number in range(parts + 1)]
    divided: list[list[Piece]] = []
    for low, high in pairwise(bounds):
        pieces, before = [], 0
        for day, count in rows:
            first, last = max(low - before, 0), min(high - before, count)
            if first < last:
                pieces.append((day, first, last))
            before += count
        divided.append(pieces)
    return divided


def read_pieces(spec: ModelSpec, read_day: ReadDay, preprocessing: dict, pieces: Sequence[Piece]) -> Batch:
    """Read the rows of parts of days in the calling process."""
    days = LabelledDays(spec, read_day)
    return Batch.join([days.matrix(day, preprocessing).rows(first, last) for day, first, last in pieces])


def _item(batch: Batch, number: int):
    return batch[number]


def _raise_errors(parts: list) -> None:
    """Wait for all parts and raise their errors, because XGBoost would hide the reason."""
    from distributed import wait

    wait(parts)
    for part in parts:
        if part.status == "error":
            try:
                part.result()
            except ModuleNotFoundError as error:
                raise ClusterUnavailable(
                    f"training.dask: the workers have no package {error.name}; their image needs ml_assets with the "
                    "extra dask, in the versions that the training step runs"
                ) from error


def _device_here(gpus: int) -> tuple[str, list[str]]:
    lines: list[str] = []
    return choose_device(gpus, lines.append), lines


def _worker_callback(segment: Segment, topic: str):
    """Return a callback for XGBoost that stops early on all workers, and reports each round from the first of them."""
    from xgboost.callback import TrainingCallback

    class ReportFromWorker(TrainingCallback):
        def after_iteration(self, model, epoch, evals_log) -> bool:
            import distributed
            from xgboost import collective

            curve = evals_log.get("validation", {})
            if collective.get_rank() == 0:
                distributed.get_worker().log_event(
                    topic, [epoch + 1, {name: float(values[-1]) for name, values in curve.items()}]
                )
            return segment.stops(curve)

    return ReportFromWorker()
