"""Runs in processes of their own, forked from one that has imported everything, so that they start at once and can be
killed.
"""

import os
import signal
from datetime import date
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from unittest.mock import patch

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.engine import materialize_days as days
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.pipeline.world import World
from ml_assets_tests.support.forkserver import CONTEXT


def start(root: Path, spec: ModelSpec, names: list[str], tags: dict[str, str], **options: object) -> BaseProcess:
    """Start a process that materializes assets; see `_materialize` for the options."""
    process = CONTEXT.Process(
        target=_materialize, args=(root, spec.model_dump(mode="json"), names, tags), kwargs=options
    )
    process.start()
    return process


def _materialize(
    root: Path,
    attributes: dict,
    names: list[str],
    tags: dict[str, str],
    s3: dict[str, str] | None = None,
    uri: str | None = None,
    days_per_commit: int | None = None,
    die_at: int | None = None,
    die_at_checkpoint_file: int | None = None,
    start_together: Barrier | None = None,
) -> None:
    """Materialize assets, and exit with 1 when the run fails.

    s3, uri: a bucket for lake and landing instead of directories. days_per_commit: instead of the engine's own. die_at:
    SIGKILL at this commit, an even number before it is written, an odd one after. die_at_checkpoint_file: SIGKILL
    before this file of the checkpoints of training is written, counted from 0; each checkpoint has two.
    start_together: the run begins when all processes wait for it.
    """
    os.environ.update({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"} if s3 else {})
    lake, landing = (
        (Lake(uri=f"{uri}/lake", s3=s3), Landing(uri=f"{uri}/landing", s3=s3)) if uri and s3 else (None, None)
    )
    world = World(root, ModelSpec.model_validate(attributes), lake, landing)
    commit, moments = Table.commit, iter(range(10_000))

    def dying(table: Table, *args: dict, **kwargs: dict) -> None:
        if next(moments) == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(table, *args, **kwargs)
        if next(moments) == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    write, files = Directory.write, iter(range(10_000))

    def dying_write(directory: Directory, key: str, content: bytes) -> None:
        if "/checkpoints/" in key and next(files) == die_at_checkpoint_file:
            os.kill(os.getpid(), signal.SIGKILL)
        write(directory, key, content)

    with (
        patch.object(Table, "commit", dying),
        patch.object(Directory, "write", dying_write),
        patch.object(days, "DAYS_PER_COMMIT", days_per_commit or days.DAYS_PER_COMMIT),
    ):
        if start_together is not None:
            start_together.wait(120)
        result = world.materialize(names, tags)
    raise SystemExit(0 if result.success else 1)


def range_tags(first: date, last: date) -> dict[str, str]:
    """Build the tags of a run over a range of days."""
    return {"dagster/asset_partition_range_start": str(first), "dagster/asset_partition_range_end": str(last)}
