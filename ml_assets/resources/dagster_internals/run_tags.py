"""The tag by which a code server marks the runs that it started.

Reason: only a run that no code server started has to be marked as alive by its own process.
Public API that would replace it: an attribute of a run that names its run worker.
"""

from dagster._core.storage.tags import GRPC_INFO_TAG

__all__ = ["GRPC_INFO_TAG"]
