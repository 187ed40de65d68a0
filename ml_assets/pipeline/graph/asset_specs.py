"""Specifications of the assets of a model: key, partitions, dependencies on days, columns."""

import inspect
from collections.abc import Sequence
from typing import Any

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import ENTRY, PREDICTIONS, RAW, VALIDATED, asset_key
from ml_assets.pipeline.graph.freshness_policy import freshness_policy
from ml_assets.pipeline.steps.asset_factory import partitions

# The first and the last assets that must be materialized each day; if one in between is late, so is the last.
FOLLOW_EACH_DAY = (RAW, VALIDATED, ENTRY, PREDICTIONS)


def asset(
    spec: ModelSpec,
    name: str,
    description: str,
    stage: str,
    kinds: set[str],
    deps: Sequence[dg.AssetDep] = (),
    **metadata: Any,
) -> dg.AssetSpec:
    """Specify one asset of a model, daily partitioned, in the group of its model and with a tag for its stage;
    `metadata` is added unchanged.
    """
    return dg.AssetSpec(
        asset_key(spec, name),
        description=description,
        group_name=spec.name,
        kinds=kinds,
        owners=spec.owners,
        deps=deps,
        metadata=metadata,
        partitions_def=partitions(spec),
        tags={"model": spec.name, "stage": stage},
        freshness_policy=freshness_policy(spec) if name in FOLLOW_EACH_DAY else None,
    )


def paragraph(stage: type, number: int = 0) -> str:
    """Return a paragraph of the docstring of a stage, for the description of its asset."""
    return " ".join((inspect.getdoc(stage) or "").split("\n\n")[number].split())


def depends(spec: ModelSpec, name: str, first: int = 0, last: int = 0) -> dg.AssetDep:
    """Depend on the days from `first` to `last` days before the day itself."""
    mapping = dg.TimeWindowPartitionMapping(
        start_offset=-first, end_offset=-last, allow_nonexistent_upstream_partitions=True
    )
    return dg.AssetDep(asset_key(spec, name), partition_mapping=mapping)


def schema(columns: list[dg.TableColumn]) -> dict[str, Any]:
    """Return the metadata that shows the columns of a table."""
    return {"dagster/column_schema": dg.TableSchema(columns)}


def schema_below_figures(columns: list[dg.TableColumn]) -> dict[str, Any]:
    """Return the metadata that shows the columns of a table behind the figures of its days: the page of an asset shows
    `dagster/column_schema` above everything else.
    """
    return {"columns": dg.MetadataValue.table_schema(dg.TableSchema(columns))}
