"""Chunks that other processes make: they write the files of the days, and this process alone commits."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ml_assets.pipeline.engine.day_computation import DueDay
from ml_assets.pipeline.engine.day_state import expected_fingerprint
from ml_assets.pipeline.engine.stage import Stage, StageOutput


@dataclass(frozen=True)
class RemoteChunk:
    """The result of another process: the output of each day and the seconds that it took, or why the chunk failed."""

    outputs: Sequence[tuple[StageOutput, float]]
    error: str | None = None


def make_remotely(stage: Stage, chunk: Sequence[DueDay], single_partition: bool) -> RemoteChunk:
    """Make a chunk in this process, and write its rows to files that are not part of their tables yet.

    Args:
        stage: the stage, opened in this process.
        chunk: the days, with the fingerprints under which they will be committed.
        single_partition: as for `Stage.make`.
    """
    try:
        return RemoteChunk(list(_make_and_write(stage, chunk, single_partition)))
    except Exception as error:
        # Not every exception can be sent to another process.
        return RemoteChunk([], f"{type(error).__name__}: {error}")


def _make_and_write(
    stage: Stage, chunk: Sequence[DueDay], single_partition: bool
) -> Iterator[tuple[StageOutput, float]]:
    begun = time.perf_counter()
    for due in chunk:
        if expected_fingerprint(stage, due.day) != due.expected:
            raise RuntimeError(f"the inputs of {due.day} were replaced in the meantime")
    outputs = stage.make([due.day for due in chunk], single_partition)
    shared = (time.perf_counter() - begun) / len(chunk)
    for due, output in zip(chunk, outputs, strict=True):
        begun = time.perf_counter()
        tables = {name: stage.tables[name].write(due.day, rows) for name, rows in output.tables.items()}
        yield replace(output, tables=tables), shared + time.perf_counter() - begun
