"""Provenance of a model: the landed files, committed days, code and parameters that it was trained from."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed
from ml_assets.core.training.time_split import Split, training_days_read
from ml_assets.pipeline.engine.stage import Stage
from ml_assets.pipeline.features.labelled_features import LabelledFeatures
from ml_assets.pipeline.training.committed_rows import CommittedRows, to_rows
from ml_assets.resources.lake.table import Table

if TYPE_CHECKING:
    from ml_assets.core.training.train import TrainedModel
    from ml_assets.pipeline.training.search_stage import ParameterSearch


class TrainingProvenance:
    """Provenance of the models of a specification, from the tables of the stages before training.

    Args:
        spec: the model.
        rows: the days of features, with their labels.
        upstream: the stages from landed files to features, in order.
        search: the stage that searches parameters, if the model has one.
    """

    def __init__(
        self, spec: ModelSpec, rows: LabelledFeatures, upstream: Sequence[Stage], search: "ParameterSearch | None"
    ):
        self._spec = spec
        self._rows = rows
        self._upstream = upstream
        self._search = search
        self._offsets: Sequence[int] | None = None
        self._objects: dict[str, CommittedRows[list[dict]]] = {}
        self._feeds = [feed for feed in (rows_feed(spec), labels_feed(spec)) if feed]

    def _objects_of(self, table: Table, day: date) -> list[dict]:
        """Return day, key, digest and size of the landed objects of a day."""
        if table.uri not in self._objects:
            self._objects[table.uri] = CommittedRows(table, to_rows)
        return [
            {"day": day, **{name: entry[name] for name in ("key", "digest", "size")}}
            for entry in self._objects[table.uri].read(day)
        ]

    def input_fingerprints(self, day: date) -> dict[str, dict[date, int]]:
        """Return the current fingerprints of the days that the model of a day reads; see
        `LabelledFeatures.input_fingerprints`.
        """
        return self._rows.input_fingerprints(day)

    def build(
        self,
        day: date,
        split: Split,
        model: "TrainedModel",
        code: Mapping[str, str],
        resolved_spec: ModelSpec,
        overrides: Mapping[str, object],
    ) -> bytes:
        """Build the provenance of a model of the day, see `core.training.provenance.build_provenance`.

        Args:
            day: the day of the model.
            split: its time split.
            model: the trained model.
            code: code version of each stage, by name.
            resolved_spec: the specification with the parameters that the model was trained with.
            overrides: settings of training that the run overrode.
        """
        from ml_assets.core.features.inputs import days_read
        from ml_assets.core.training.provenance import build_provenance

        if self._offsets is None:
            self._offsets = days_read(self._spec)
        offsets = self._offsets
        reach = {used - timedelta(days=offset) for used in training_days_read(self._spec, day) for offset in offsets}
        row_days = sorted(row_day for row_day in reach if row_day >= self._spec.source.start)
        # Labels of the oldest rows may have been delivered on any day since.
        delivery_days = [row_days[0] + timedelta(days=n) for n in range((day - row_days[0]).days + 1)]
        tables = {name: table for stage in self._upstream for name, table in stage.tables.items()}
        objects: list[dict] = []
        fingerprints: dict[str, dict[date, int]] = {}
        for feed in self._feeds:
            days = row_days if feed.event_time else delivery_days
            objects += [entry for input_day in days for entry in self._objects_of(tables[feed.objects], input_day)]
            for name in (feed.raw, feed.validated):
                by_day = {input_day: tables[name].fingerprint(input_day) for input_day in days}
                fingerprints[name] = {key: value for key, value in by_day.items() if value is not None}
        fingerprints |= self.input_fingerprints(day)
        search_row = self._search.row(day) if self._search else None
        parameters = {key: value for key, value in search_row.items() if value is not None} if search_row else None
        return build_provenance(
            self._spec, day, split, model, objects, fingerprints, dict(code), resolved_spec, parameters, dict(overrides)
        )
