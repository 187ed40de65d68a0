"""The size of the input of a step, which is known at launch because the upstream stages have committed by then."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.kubernetes.memory_sizing import largest_day
from ml_assets.pipeline.asset_names import LANDED_FILES, model_and_asset
from ml_assets.pipeline.steps.partition_tags import days_of
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    from ml_assets.resources.dagster_internals.asset_jobs import AssetLayer
    from ml_assets.resources.dagster_internals.step_execution import StepHandlerContext


def input_bytes(context: "StepHandlerContext", lake: Lake, landing: Landing) -> int:
    """Return the input bytes of the largest day of a step: of landed files, or of the days in the lake that its assets
    depend on.
    """
    # This import needs gRPC, and only step pods call this function.
    from ml_assets.resources.kubernetes.shared_pod import step_key

    step, days = context.get_step_context(step_key(context)), days_of(context.dagster_run.tags)
    if not days:
        return 0
    sizes = list(_sizes(step.job.get_definition().asset_layer, step.step.node_handle, days, lake, landing))
    return largest_day(sizes, days)


def _sizes(
    layer: "AssetLayer", node: "dg.NodeHandle", days: list[date], lake: Lake, landing: Landing
) -> Iterator[tuple[Mapping[date, int], int, int]]:
    assets = layer.get_assets_def_for_node(node)
    read: dict[tuple[tuple[str, str], int, int], None] = {}
    for spec in assets.specs if assets else ():
        if LANDED_FILES in spec.metadata:
            files = str(spec.metadata[LANDED_FILES])
            yield {day: landing.bytes_of_day(files, day) for day in days}, 0, 0
        for dep in spec.deps:
            mapping = dep.partition_mapping
            offsets = (
                (mapping.start_offset, mapping.end_offset)
                if isinstance(mapping, dg.TimeWindowPartitionMapping)
                else (0, 0)
            )
            if names := model_and_asset(dep.asset_key):
                read[names, *offsets] = None
    for names, first, last in read:
        yield lake.bytes_by_day(*names), first, last
