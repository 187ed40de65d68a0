"""The type of the configuration that Dagster hands to a storage, coordinator or launcher named in `dagster.yaml`.

Reason: `from_config_value` and `inst_data` of a configurable class are annotated with it.
Public API that would replace it: an export of `ConfigurableClassData` from `dagster`.
"""

from dagster._serdes import ConfigurableClassData

__all__ = ["ConfigurableClassData"]
