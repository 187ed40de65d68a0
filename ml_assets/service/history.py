"""The history that features read: the newest days in the lake, cached in memory and reloaded after a new commit."""

import logging
from datetime import date

import pandas as pd

from ml_assets.core.features.inputs import columns_read, label_days_read
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed
from ml_assets.core.serving.online_features import OnlineFeatures, days_in_memory
from ml_assets.core.tables.day_ranges import days_between
from ml_assets.core.tables.schemas import row_schema, to_pandas
from ml_assets.pipeline.features.label_store import LabelsByKey
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.observability.redaction import redact_text
from ml_assets.resources.storage.landing import Landing

log = logging.getLogger("ml_assets.service")


class HistoryCache:
    """The features of single rows, over the validated days in the lake.

    features: None until the history has been read. problem: the reason why the last refresh failed; None if it
    succeeded.
    """

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing) -> None:
        self._spec = spec
        self._lake = lake
        self._landing = landing
        self._tables: list[Table] = []
        self._versions: list[int] = []
        self.features: OnlineFeatures | None = None
        self.problem: str | None = None

    def refresh(self) -> None:
        """Reload the history if one of its tables has a new commit; the features are swapped atomically.

        Raises:
            LakeError: when a table does not exist or has no days yet. After this and any other error of the store, the
                cached history stays in use.
        """
        try:
            self._refresh()
            self.problem = None
        except Exception as error:
            self.problem = redact_text(f"{type(error).__name__}: {error}")
            raise

    def _refresh(self) -> None:
        if not self._tables:
            self._tables = self._open()
        for table in self._tables:
            table.refresh()
        versions = [table.version() for table in self._tables]
        if versions == self._versions:
            return
        through = max(self._tables[0].row_counts(), default=None)
        if through is None:
            raise LakeError(f"{self._tables[0].uri} has no rows yet")
        history = self._read(through)
        self.features = OnlineFeatures(self._spec, history, through)
        self._versions = versions
        log.info("history: %s rows of the days up to %s", f"{len(history):,}", through)

    def _open(self) -> list[Table]:
        feeds = [rows_feed(self._spec), labels_feed(self._spec) if label_days_read(self._spec) else None]
        return [
            self._lake.table(self._spec.name, feed.validated, row_schema(feed)) for feed in feeds if feed is not None
        ]

    def _read(self, through: date) -> pd.DataFrame:
        spec, rows = self._spec, self._tables[0]
        days = days_between(days_in_memory(spec, through)[1], through)
        if len(self._tables) == 1:
            return to_pandas(rows.read(days, columns_read(spec)))
        # A new object each time, because it reads each delivery only once.
        labels = LabelsByKey(spec, self._lake, self._landing, rows)
        as_of = max(through, *self._tables[1].row_counts())
        frames = [
            to_pandas(rows.read([day], columns_read(spec))).assign(**{spec.target: labels.column(day, as_of)})
            for day in days
        ]
        return pd.concat(frames, ignore_index=True)
