"""Data versions, and targets of checks, for each partition that one output of a step materializes.

Reason: Dagster gives all partitions of an output the same tags, so a run over a range of days would give each day the
data version of the range, and the same day made by itself would count as changed. Yielding a materialization for each
day in addition to the output would record each day twice. An `AssetCheckResult` takes its target materialization from
the partition of the step, which a range does not have, and an evaluation without a target never shows in the status of
a partition.
Public API that would replace it: a data version for each partition in `MaterializeResult`, as `DataVersionsByPartition`
is for the observation of source assets, and a partition of an `AssetCheckResult`.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.definitions.data_version import DATA_VERSION_TAG
from dagster._core.execution.plan import execute_step

__all__ = ["DATA_VERSION_TAG", "CheckTarget", "PartitionVersions", "targets_of_checks"]

CheckTarget = AssetCheckEvaluationTargetMaterializationData

_get_output_asset_events: Any = execute_step._get_output_asset_events


class PartitionVersions(dg.DataVersion):
    """The data versions of the partitions of a `MaterializeResult`; as a whole, the digest of all of them.

    Args:
        versions: the data version of each partition, by its key.
    """

    by_partition: Mapping[str, str]

    def __new__(cls, versions: Mapping[str, str]) -> "PartitionVersions":
        """Build the version of the whole from the versions of the partitions."""
        text = "\n".join(f"{partition} {version}" for partition, version in sorted(versions.items()))
        version = super().__new__(cls, sha256(text.encode()).hexdigest())
        version.by_partition = versions
        return version

    # Dagster compares the version set by a step with the version of the newest event, which belongs to a partition, and
    # warns if they differ.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, dg.DataVersion) and other.value in (self.value, *self.by_partition.values())

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = dg.DataVersion.__hash__


def _with_partition_versions(
    asset_key: dg.AssetKey, asset_partitions: Any, output: Any, *arguments: Any, **named: Any
) -> Iterator[Any]:
    versions = getattr(getattr(output, "data_version", None), "by_partition", {})
    for event in _get_output_asset_events(asset_key, asset_partitions, output, *arguments, **named):
        version = versions.get(event.partition)
        yield event._replace(tags={**event.tags, DATA_VERSION_TAG: version}) if version else event


execute_step._get_output_asset_events = _with_partition_versions


def targets_of_checks(
    instance: dg.DagsterInstance, asset: dg.AssetKey, partitions: Sequence[str]
) -> dict[str, CheckTarget]:
    """Return the target of the checks of an asset: the newest materialization of each partition that has one.

    Args:
        instance: the instance in which the materializations are stored.
        asset: key of the asset.
        partitions: keys of partitions that a run has just materialized, once each.
    """
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset, asset_partitions=list(partitions)), limit=len(partitions)
    ).records
    # Records come newest first.
    return {
        str(record.partition_key): CheckTarget(
            storage_id=record.storage_id, run_id=record.event_log_entry.run_id, timestamp=record.timestamp
        )
        for record in reversed(records)
    }
