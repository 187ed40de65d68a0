"""Days of a model's table as a frame, for an asset or check of a project's own."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, overload

import dagster as dg

from ml_assets.core.extras import needs_extra
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.steps.partition_tags import days_of

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl  # type: ignore[import-not-found]
    import pyarrow as pa

    from ml_assets.resources.lake.lake import Lake
    from ml_assets.resources.lake.table import Table

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext
MAX_NAMED = 5


class CannotRead(Exception):
    """An asset of a model cannot be read in a step: it is not a dependency, or days have not been computed. The message
    says what to do.
    """


@overload
def read(
    context: Context, asset: str, columns: Sequence[str] | None = None, *, as_: Literal["pandas"] = "pandas"
) -> "pd.DataFrame": ...
@overload
def read(
    context: Context, asset: str, columns: Sequence[str] | None = None, *, as_: Literal["arrow"]
) -> "pa.Table": ...
@overload
def read(
    context: Context, asset: str, columns: Sequence[str] | None = None, *, as_: Literal["polars"]
) -> "pl.DataFrame": ...
def read(
    context: Context,
    asset: str,
    columns: Sequence[str] | None = None,
    *,
    as_: Literal["pandas", "polars", "arrow"] = "pandas",
) -> Any:
    """Read the days of a model's asset that the partitions of a run depend on.

    The asset must be a dependency of the step (`deps` of the asset; for a check, the asset that it checks), and the
    step must require the resource `lake`. The partition mapping of the dependency applies: with one that covers a week,
    seven days are read. A step without partitions reads all days that have been computed.

    Args:
        context: the execution context of the asset or check.
        asset: name of the model's asset such as `features`; `churn/features` where the step depends on the features of
            several models.
        columns: names of the columns to read; by default the column `day` and all others.
        as_: type of the result: a pandas.DataFrame, a polars.DataFrame or a pyarrow.Table.

    Returns:
        The rows, in the order of the days.

    Raises:
        CannotRead: when the step does not depend on such an asset or lacks the resource, or when one of the days has
            not been computed or has been removed by retention; it names them.
        MissingExtra: when polars is needed and not installed.
        ValueError: when `as_` is another type.
    """
    if context is None:
        raise CannotRead("there is no context: outside of a run, open the table as docs/how-to/queries.md shows")
    step = context.op_execution_context
    input_name, key = _find_dependency(step, asset)
    lake = _lake(step)
    model, name = key.path[-2:]
    if not lake.exists(model, name):
        raise CannotRead(f"{model}/{name} has no table in {lake.uri}; materialize {key.to_user_string()} first")
    table = lake.existing_table(model, name)
    days = _days(step, input_name, key)
    if days is None:
        days = sorted(table.row_counts())
    else:
        _check_days(table, days, key)
    return convert(table.read(days, list(columns) if columns is not None else table.schema.names), as_)


def _find_dependency(step: dg.OpExecutionContext, asset: str) -> tuple[str, dg.AssetKey]:
    parts = asset.split("/")
    inputs = step.assets_def.keys_by_input_name
    matching = {name: key for name, key in inputs.items() if list(key.path[-len(parts) :]) == parts}
    keys = sorted(key.to_user_string() for key in (matching or inputs).values())
    if len(matching) == 1:
        ((input_name, key),) = matching.items()
        if len(key.path) > 1:
            return input_name, key
    if len(matching) > 1:
        raise CannotRead(f"{step.op.name} depends on {' and '.join(keys)}; name one of them instead of {asset!r}")
    depends = f"it depends on {', '.join(keys)}" if keys else "it has no dependencies"
    raise CannotRead(
        f"{step.op.name} does not depend on an asset {asset!r} of a model, {depends}; "
        f'add deps=[dg.AssetKey(["<model>", "{parts[-1]}"])] to its decorator'
    )


def _lake(step: dg.OpExecutionContext) -> "Lake":
    from ml_assets.resources.lake.lake import Lake

    lake = getattr(step.resources, "lake", None) if "lake" in step.op_def.required_resource_keys else None
    if not isinstance(lake, Lake):
        raise CannotRead(f'{step.op.name} cannot read the lake; add required_resource_keys={{"lake"}} to its decorator')
    return lake


def _days(step: dg.OpExecutionContext, input_name: str, key: dg.AssetKey) -> list[date] | None:
    """Return the days that the partitions of a step depend on; None for a step without partitions."""
    if step.assets_def.partitions_def is not None:
        return [date.fromisoformat(day) for day in _partition_keys(step, input_name, key)]
    if step.assets_def.keys:
        return None
    # A check has no partitions of its own; in a run over days it reads these.
    try:
        return days_of(step.run.tags) or None
    except dg.DagsterError:
        return None


def _partition_keys(step: dg.OpExecutionContext, input_name: str, key: dg.AssetKey) -> Sequence[str]:
    try:
        # Definitions without the model, as in a unit test, do not know the partitions of its assets.
        is_known = step.job_def.asset_layer.get(key).partitions_def is not None
    except dg.DagsterError:
        # The function is called directly, with the context of a unit test.
        return [step.partition_key]
    return step.asset_partition_keys_for_input(input_name) if is_known else step.partition_keys


def _check_days(table: "Table", days: Sequence[date], key: dg.AssetKey) -> None:
    fingerprints = {day: table.fingerprint(day) for day in days}
    for fingerprint, problem in ((None, "have not been made"), (EXPIRED, "have been removed by retention")):
        if lacking := [day for day in days if fingerprints[day] == fingerprint]:
            named = ", ".join(map(str, lacking[:MAX_NAMED])) + (", ..." if len(lacking) > MAX_NAMED else "")
            raise CannotRead(
                f"{len(lacking)} of {len(days)} days of {key.to_user_string()} {problem}: {named}; materialize "
                f"{key.to_user_string()} of these days first: {_command(key.path[-2], lacking)}"
            )


def _command(model: str, days: Sequence[date]) -> str:
    if len(days) == 1:
        return f"`ml-assets run {model} --day {days[0]}` also makes what the day needs"
    return f"`dg launch --job {model}_daily --partition-range {days[0]}...{days[-1]}`"


def convert(rows: "pa.Table", as_: str) -> Any:
    """Return rows as a pandas.DataFrame, a polars.DataFrame, or unchanged as a pyarrow.Table."""
    if as_ == "arrow":
        return rows
    if as_ == "pandas":
        return rows.to_pandas()
    if as_ != "polars":
        raise ValueError(f"as_ is {as_!r}; give 'pandas', 'polars' or 'arrow'")
    with needs_extra("polars", "as_='polars'"):
        import polars as pl  # type: ignore[import-not-found]
    return pl.from_arrow(rows)
