"""A Dagster component that turns daily files into a validated, evaluated and registered model.

`ml_assets.ModelPipeline` is the component, `ml_assets.environment` the resources, sensors and executor of a project;
everything else is reached through the module that defines it. Importing this package loads nothing: each is imported
when somebody asks for it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml_assets.defs.environment import project_environment as environment
    from ml_assets.pipeline.component import ModelPipeline

__all__ = ["ModelPipeline", "environment"]


def __getattr__(name: str) -> Any:
    if name == "ModelPipeline":
        from ml_assets.pipeline.component import ModelPipeline

        return ModelPipeline
    if name == "environment":
        from ml_assets.defs.environment import project_environment

        return project_environment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    # Dagster's component registry lists what `dir` names.
    return sorted({*globals(), *__all__})
