"""A Dagster component that turns daily files into a validated, evaluated and registered model.

`ModelPipeline` is the component, and `environment` provides the resources, sensors and executor of a project. In a
project's own assets, `read` reads days of a model's asset, and `on_data_change` runs an asset when such days change.
Everything else is imported from the module that defines it. Importing this package loads nothing: each name is imported
on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml_assets.defs.environment import project_environment as environment
    from ml_assets.pipeline.automation.conditions import on_data_change
    from ml_assets.pipeline.component import ModelPipeline
    from ml_assets.pipeline.downstream.read import read

__all__ = ["ModelPipeline", "environment", "on_data_change", "read"]

_MODULES = {
    "ModelPipeline": ("ml_assets.pipeline.component", "ModelPipeline"),
    "environment": ("ml_assets.defs.environment", "project_environment"),
    "on_data_change": ("ml_assets.pipeline.automation.conditions", "on_data_change"),
    "read": ("ml_assets.pipeline.downstream.read", "read"),
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        module, attribute = _MODULES[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    # Dagster's component registry lists what `dir` names.
    return sorted({*globals(), *__all__})
