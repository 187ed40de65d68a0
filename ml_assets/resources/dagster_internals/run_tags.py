"""Tags of runs that Dagster's UI does not show.

Reason: only a run that no code server started has to be marked as alive by its own process, and a code server marks its
runs by a hidden tag; a list of assets as a visible tag fills the list of runs.
Public API that would replace it: an attribute of a run that names its run worker, and tags that are not shown.
"""

from dagster._core.storage.tags import GRPC_INFO_TAG, HIDDEN_TAG_PREFIX

__all__ = ["GRPC_INFO_TAG", "HIDDEN_TAG_PREFIX"]
