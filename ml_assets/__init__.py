"""A Dagster component that turns daily files into a validated, evaluated and registered model.

`ml_assets.ModelPipeline` is the component; everything else is reached through the module that defines it. Importing
this package loads nothing: the component is imported when somebody asks for it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml_assets.pipeline.component import ModelPipeline

__all__ = ["ModelPipeline"]


def __getattr__(name: str) -> Any:
    if name == "ModelPipeline":
        from ml_assets.pipeline.component import ModelPipeline

        return ModelPipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    # Dagster's component registry lists what `dir` names.
    return sorted({*globals(), *__all__})
