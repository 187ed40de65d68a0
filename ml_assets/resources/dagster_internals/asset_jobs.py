"""Types of asset jobs: the return type of `dagster.define_asset_job`, the assets of a job, and the name of the job
behind the Materialize button.

Reason: functions that return or take a job defined by `define_asset_job` are annotated with its type; the memory of a
step depends on the assets that its node materializes; a run of the implicit job has no job of the code location.
Public API that would replace it: exports of these names from `dagster`.
"""

from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME
from dagster._core.definitions.assets.job.asset_layer import AssetLayer
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

__all__ = ["IMPLICIT_ASSET_JOB_NAME", "AssetLayer", "UnresolvedAssetJobDefinition"]
