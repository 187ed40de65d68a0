"""Stage served_requests: the captured requests of a day, from the segments that the service processes wrote."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.code_version import code_version
from ml_assets.pipeline.asset_names import FEATURE_PROFILES, FEATURES, SERVED_REQUESTS
from ml_assets.pipeline.engine.stage import DayByDay, KeepDay, StageOutput
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.segments import DamagedSegment, Segments

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ml_assets.resources.storage.stored_object import FileSize


class BatchFeatures:
    """The features of the batch, and their profiles, which the checks compare served requests with."""

    def __init__(self, spec: ModelSpec, lake: Lake) -> None:
        from ml_assets.core.tables.schemas import feature_profile_schema, features_schema

        self.rows = lake.table(spec.name, FEATURES, features_schema(spec))
        self.profiles = lake.table(spec.name, FEATURE_PROFILES, feature_profile_schema(spec))


class ServedRequests(DayByDay):
    """The requests that the scoring service answered for events of a day, with the features as it used them, and its
    answers.

    Inputs: the segments of the day that are in the lake. When later requests arrive, the day is computed again. Rows
    whose segments were removed stay.
    """

    name = SERVED_REQUESTS

    def __init__(self, spec: ModelSpec, lake: Lake):
        from ml_assets.core.tables.monitoring_schemas import served_requests_schema

        self.spec = spec
        self.code = code_version(__name__)
        schema = served_requests_schema(spec)
        self._hashed = spec.deployment.capture.hashed if spec.deployment.capture else []
        self.spec_part = {"columns": [[field.name, str(field.type)] for field in schema], "hashed": self._hashed}
        self.tables = {SERVED_REQUESTS: lake.table(spec.name, SERVED_REQUESTS, schema)}
        self.batch = BatchFeatures(spec, lake)
        self._segments = Segments(lake.files, spec.name)

    def refresh(self) -> None:
        """Reopen the features of the batch; segments are listed each time."""
        self.batch.rows.refresh()
        self.batch.profiles.refresh()

    def inputs(self, day: date) -> list:
        """Return name and size of each segment of the day, and the names of removed segments that have rows.

        Raises:
            KeepDay: when the day has rows and its segments are gone, as after a removal of old files.
        """
        segments = self._segments.list(day)
        if not segments and self.tables[SERVED_REQUESTS].row_counts().get(day):
            raise KeepDay(f"the segments of {day} are no longer in the lake; its rows stay")
        removed = self._removed(day, segments)
        return [[_name(segment.key), segment.size] for segment in segments] + ([removed] if removed else [])

    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        """Concatenate the segments of the day, in the order of the answers."""
        from pyarrow.dataset import field

        from ml_assets.core.serving.captured_requests import SEGMENT, join_segments

        schema = self.tables[SERVED_REQUESTS].schema.remove(0)
        parts, damaged = {}, []
        segments = self._segments.list(day)
        for segment in segments:
            try:
                parts[_name(segment.key)] = self._segments.read(segment.key)
            except DamagedSegment as error:
                damaged.append(str(error))
        removed = self._removed(day, segments)
        kept = self.read(day, schema.names).filter(field(SEGMENT).isin(removed)) if removed else None
        problem = f"{len(damaged)} segments cannot be read, the first: {damaged[0]}" if damaged else None
        metadata = {"segments": len(parts) + len(damaged)}
        return StageOutput({SERVED_REQUESTS: join_segments(schema, self._hashed, parts, kept)}, problem, metadata)

    def _removed(self, day: date, segments: "Sequence[FileSize]") -> list[str]:
        """List the names of segments of committed rows of a day that are no longer among those in the lake."""
        from ml_assets.core.serving.captured_requests import SEGMENT

        table = self.tables[SERVED_REQUESTS]
        # Rows whose columns have outdated types cannot be read.
        if not table.row_counts().get(day) or table.has_outdated_columns:
            return []
        names = self.read(day, [SEGMENT])[SEGMENT].unique().to_pylist()
        return sorted({*filter(None, names)} - {_name(segment.key) for segment in segments})

    def read(self, day: date, columns: Sequence[str]) -> "pa.Table":
        """Read columns of the committed requests of a day."""
        return self.tables[SERVED_REQUESTS].read([day], list(columns))

    def frame(self, day: date, columns: Sequence[str]) -> "pd.DataFrame":
        """Read columns of the committed requests of a day as a frame."""
        from ml_assets.core.tables.schemas import to_pandas

        return to_pandas(self.read(day, columns))


def _name(key: str) -> str:
    return key.rpartition("/")[2]
