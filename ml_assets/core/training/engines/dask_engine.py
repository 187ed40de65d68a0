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
from ml_assets.core.training.batches import LabelledDays, ReadDay
from ml_assets.core.training.boosting import OnRound, Segment, Train, to_bytes
from ml_assets.core.training.engines.dask_cluster import ClusterUnavailable
from ml_assets.core.training.engines.device import choose_device

if TYPE_CHECKING:
    from distributed import Client

Piece = tuple[date, int, int]
"""A day, and the positions of the first of its labelled rows and of the one behind the last."""


class DaskEngine:
    """Trains on the workers of a Dask cluster.

    The rows of the days, in their order, are cut into parts of equal size, `batch_rows` at most and one or more for
    each worker; a worker reads the days of its parts through `read_day`, and keeps them as float32 beside what XGBoost
    makes of them. So memory of a worker grows with its share of the rows, and that of this process not at all. The sum
    over workers is in no fixed order: two trainings may differ in their last digits.

    Args:
        spec: the model.
        days: the rows; each day has been read once, so their counts are known.
        client: of the cluster.
        log: takes a line when a GPU is wanted and cannot be used.
    """

    restarts = True

    def __init__(self, spec: ModelSpec, days: LabelledDays, client: "Client", log: Callable[[str], None]):
        self._spec, self._days, self._client = spec, days, client
        self._workers = sorted(client.nthreads())
        self.device = self._choose_device(log)

    @contextmanager
    def data(self, preprocessing: dict, train_on: list[date], watch: list[date] | None) -> Iterator[Train]:
        """What trains on the rows of some days and watches those of others; the workers let go of them afterwards."""
        from xgboost import dask as xgboost_dask

        matrix = self._quantised(preprocessing, train_on)
        watched = [(self._quantised(preprocessing, watch, matrix), "validation")] if watch else []

        def train(segment: Segment, on_round: OnRound) -> tuple[bytes, Mapping[str, list[float]]]:
            import xgboost as xgb

            before = xgb.Booster(model_file=bytearray(segment.begun.model)) if segment.begun.model else None
            topic = f"ml_assets-{uuid4().hex}"
            train_there = partial(
                xgboost_dask.train,
                self._client,
                {**segment.parameters, "device": self.device},
                matrix,
                segment.rounds,
                evals=watched,
                xgb_model=before,
                callbacks=[_follow_on_worker(segment, topic)],
                verbose_eval=False,
            )
            result = self._listen(topic, train_there, on_round)
            return to_bytes(result["booster"]), result["history"].get("validation", {})

        yield train

    def _quantised(self, preprocessing: dict, days: list[date], reference=None):
        import dask.array as da
        from xgboost.dask import DaskQuantileDMatrix

        types, client = column_types(preprocessing), self._client
        read = partial(read_pieces, self._spec, self._days.read_day, preprocessing)
        cut = cut_rows(
            [(day, self._days.rows[day]) for day in days], self._spec.training.batch_rows, len(self._workers)
        )
        parts, matrices, labels = [], [], []
        for number, pieces in enumerate(cut):
            worker = self._workers[number * len(self._workers) // len(cut)]
            where: dict[str, Any] = {"workers": [worker], "allow_other_workers": True, "pure": False}
            part, rows = client.submit(read, pieces, **where), sum(last - first for _, first, last in pieces)
            parts.append(part)
            matrices.append(da.from_delayed(client.submit(_item, part, 0, **where), (rows, len(types)), np.float32))
            labels.append(da.from_delayed(client.submit(_item, part, 1, **where), (rows,), np.float32))
        _raise_errors(parts)
        shape = {
            "max_bin": self._spec.training.parameters.max_bin,
            "ref": reference,
            "feature_types": types,
            "enable_categorical": True,
        }
        return DaskQuantileDMatrix(client, da.concatenate(matrices), da.concatenate(labels), **shape)

    def _listen(self, topic: str, train_there: Callable[[], Any], on_round: OnRound):
        """The result of training, which goes on in a thread, while this one tells of the rounds that the first worker
        reports.
        """
        heard: queue.SimpleQueue = queue.SimpleQueue()
        self._client.subscribe_topic(topic, lambda event: heard.put(event[1]))
        curve: dict[str, list[float]] = {}
        try:
            with ThreadPoolExecutor(1) as pool:
                running = pool.submit(train_there)
                while not running.done():
                    try:
                        done, metrics = heard.get(timeout=0.2)
                    except queue.Empty:
                        continue
                    for name, value in metrics.items():
                        curve.setdefault(name, []).append(value)
                    on_round(done, curve, None)
                return running.result()
        finally:
            self._client.unsubscribe_topic(topic)

    def _choose_device(self, log: Callable[[str], None]) -> str:
        wanted, place = self._spec.compute.gpu, self._spec.training.dask
        if not wanted:
            return "cpu"
        if place.address is None and place.kubernetes is None:
            log(
                f"warning: compute.gpu is {wanted}, but local Dask workers would share a GPU, which XGBoost refuses; "
                "training on the CPU"
            )
            return "cpu"
        # A coroutine only where the client is asynchronous.
        found: Any = self._client.run(_device_here, wanted)
        lines = [f"{worker}: {line}" for worker, (_, told) in found.items() for line in told]
        for line in lines[:1]:
            log(f"{line} on all workers" if len(found) > 1 else line)
        return "cuda" if all(device == "cuda" for device, _ in found.values()) else "cpu"


def cut_rows(rows: Sequence[tuple[date, int]], most: int, workers: int) -> list[list[Piece]]:
    """The rows of days in their order, cut into parts whose sizes differ by one at most: as many as it takes for `most`
    rows each, and no fewer than there are workers, while there are rows for them.

    Args:
        rows: labelled rows of each day.
        most: rows of a part.
        workers: of the cluster.
    """
    total = sum(count for _, count in rows)
    parts = min(total, max(workers, -(-total // most)))
    bounds = [total * number // parts for number in range(parts + 1)]
    cut: list[list[Piece]] = []
    for low, high in pairwise(bounds):
        pieces, before = [], 0
        for day, count in rows:
            first, last = max(low - before, 0), min(high - before, count)
            if first < last:
                pieces.append((day, first, last))
            before += count
        cut.append(pieces)
    return cut


def read_pieces(
    spec: ModelSpec, read_day: ReadDay, preprocessing: dict, pieces: Sequence[Piece]
) -> tuple[np.ndarray, np.ndarray]:
    """(matrix, labels) of parts of days, read where this is called."""
    days = LabelledDays(spec, read_day)
    parts = [
        (matrix[first:last], labels[first:last])
        for day, first, last in pieces
        for matrix, labels in [days.matrix(day, preprocessing)]
    ]
    return np.concatenate([matrix for matrix, _ in parts]), np.concatenate([labels for _, labels in parts])


def _item(pair: tuple, number: int):
    return pair[number]


def _raise_errors(parts: list) -> None:
    """Wait for all parts. XGBoost would say no more of an error than that there was one."""
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


def _device_here(wanted: int) -> tuple[str, list[str]]:
    lines: list[str] = []
    return choose_device(wanted, lines.append), lines


def _follow_on_worker(segment: Segment, topic: str):
    """A callback of XGBoost that stops early on all workers alike, and reports each round from the first of them."""
    from xgboost.callback import TrainingCallback

    class FollowOnWorker(TrainingCallback):
        def after_iteration(self, model, epoch, evals_log) -> bool:
            import distributed
            from xgboost import collective

            curve = evals_log.get("validation", {})
            if collective.get_rank() == 0:
                distributed.get_worker().log_event(
                    topic, [epoch + 1, {name: float(values[-1]) for name, values in curve.items()}]
                )
            return segment.stops(curve)

    return FollowOnWorker()
