"""The lineage of a step, sent when it starts and when it ends; nothing happens unless OpenLineage is configured."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.lineage import Dataset, State, StepEvent, StepRun, name_dataset
from ml_assets.pipeline.asset_names import LANDED_FILES, model_and_asset
from ml_assets.pipeline.engine.stage import DayOutcome, Stage
from ml_assets.pipeline.observability.step_costs import bytes_of_days
from ml_assets.resources.observability.lineage import (
    flush_lineage,
    is_lineage_enabled,
    send_lineage,
)
from ml_assets.resources.observability.redaction import redact_text

COLUMN_LINEAGE = "dagster/column_lineage"
COLUMN_SCHEMA = "dagster/column_schema"
MAX_ERROR = 2_000


class StepLineage:
    """The lineage of a step of a run, which the step fills in as it proceeds.

    stage: set when the stage is opened. outcomes: the outcomes of the days computed. column_lineage: the lineage of the
    main asset's columns.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        spec: ModelSpec,
        assets: Sequence[dg.AssetSpec],
        days: Sequence[date],
    ):
        self._context = context
        self._spec = spec
        self._assets = assets
        self._days = days
        self.stage: Stage | None = None
        self.outcomes: list[DayOutcome] = []
        self.column_lineage: dg.TableColumnLineage | None = None

    def start(self) -> None:
        """Send that the step started."""
        self._send("START")

    def complete(self) -> None:
        """Send that the step completed, with the datasets that it wrote."""
        self._send("COMPLETE")

    def fail(self, error: BaseException) -> None:
        """Send that the step failed; an exception that is not an error, such as an interruption, is sent as an
        abort.
        """
        is_error = isinstance(error, Exception)
        self._send("FAIL" if is_error else "ABORT", redact_text(f"{type(error).__name__}: {error}")[:MAX_ERROR])

    def _send(self, state: State, error: str | None = None) -> None:
        try:
            outputs = self._outputs() if state == "COMPLETE" else [self._dataset(asset.key) for asset in self._assets]
            send_lineage(StepEvent(state, datetime.now(UTC), self._run(), self._inputs(), outputs, error))
            if state != "START":
                flush_lineage()
        except Exception as problem:
            self._context.log.warning(
                f"the lineage of this step could not be sent: {type(problem).__name__}: {problem}"
            )

    def _run(self) -> StepRun:
        context, name = self._context, self._assets[0].key.path[-1]
        zone = ZoneInfo(self._spec.source.time_zone)
        first, end = (
            datetime.combine(day, time(), zone) for day in (self._days[0], self._days[-1] + timedelta(days=1))
        )
        step = f"{self._spec.name}.{name}"
        return StepRun(context.run_id, context.retry_number, context.job_name, step, first, end, dg.__version__)

    def _inputs(self) -> list[Dataset]:
        upstream = dict.fromkeys(dep.asset_key for asset in self._assets for dep in asset.deps)
        own = {asset.key for asset in self._assets}
        tables = [self._dataset(key) for key in upstream if key not in own]
        patterns = dict.fromkeys(
            str(asset.metadata[LANDED_FILES]) for asset in self._assets if LANDED_FILES in asset.metadata
        )
        return tables + [self._landed(pattern) for pattern in patterns]

    def _outputs(self) -> list[Dataset]:
        if self.stage is None:
            return [self._dataset(asset.key) for asset in self._assets]
        return [self._written(self.stage, name) for name in reversed(list(self.stage.tables))]

    def _written(self, stage: Stage, name: str) -> Dataset:
        table = stage.tables[name]
        made = [outcome for outcome in self.outcomes if outcome.computed]
        described = {
            column.name: column.description or ""
            for asset in self._assets
            if asset.key.path[-1] == name and COLUMN_SCHEMA in asset.metadata
            for column in asset.metadata[COLUMN_SCHEMA].columns
        }
        return Dataset(
            name_dataset(table.uri),
            table.uri,
            columns=[(field.name, str(field.type), described.get(field.name, "")) for field in table.schema],
            lineage=self._column_lineage() if name == stage.name else {},
            version=table.version(),
            rows=sum(outcome.rows.get(name, 0) for outcome in made),
            size=sum(bytes_of_days([table], made).values()),
        )

    def _column_lineage(self) -> dict:
        lineage = self.column_lineage.deps_by_column if self.column_lineage else {}
        return {
            column: [(self._dataset(dep.asset_key).name, dep.column_name) for dep in deps]
            for column, deps in lineage.items()
            if deps
        }

    def _dataset(self, key: dg.AssetKey) -> Dataset:
        """Return the table of a model's asset; for another asset, the path of its key."""
        names = model_and_asset(key) or ("", key.path[-1])
        uri = f"{self._context.resources.lake.uri.rstrip('/')}/{'/'.join(filter(None, names))}"
        return Dataset(name_dataset(uri), uri)

    def _landed(self, pattern: str) -> Dataset:
        """Return the folder of a pattern of landed files."""
        folder = pattern.partition("{")[0].rpartition("/")[0]
        uri = f"{self._context.resources.landing.uri.rstrip('/')}/{folder}".rstrip("/")
        return Dataset(name_dataset(uri), uri, layer=None)


@contextmanager
def report_lineage(
    context: dg.AssetExecutionContext, spec: ModelSpec, assets: Sequence[dg.AssetSpec], days: Sequence[date]
) -> Iterator[StepLineage]:
    """Send that a step starts, and, when the block ends, that it completed, failed or was aborted.

    Args:
        context: the execution context of the step.
        spec: the model.
        assets: the assets of the step, the main one first.
        days: the days of the run, ascending.
    """
    lineage = StepLineage(context, spec, assets, days)
    if not is_lineage_enabled():
        yield lineage
        return
    lineage.start()
    try:
        yield lineage
    except BaseException as error:
        lineage.fail(error)
        raise
    lineage.complete()
