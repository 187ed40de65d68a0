"""Run config of trained_model for the launchpad: training settings that one run overrides."""

from typing import Any

import dagster as dg
from pydantic import Field

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.overrides import with_training
from ml_assets.pipeline.asset_names import MODEL, step_name


class TrainingConfig(dg.Config):
    """Training settings that this run overrides; all others have the values of the specification or of a search.

    A run with overrides is an experiment, which is only tracked in MLflow. With `candidate`, its models become the
    models of their days.
    """

    eta: float | None = Field(None, description="Learning rate")
    max_depth: int | None = Field(None, description="Depth of a tree")
    min_child_weight: float | None = Field(None, description="Minimum sum of instance weight in a leaf")
    subsample: float | None = Field(None, description="Share of the rows that a tree is trained on")
    colsample_bytree: float | None = Field(None, description="Share of the features that a tree is trained on")
    reg_lambda: float | None = Field(None, description="L2 regularization of leaf values")
    reg_alpha: float | None = Field(None, description="L1 regularization of leaf values")
    gamma: float | None = Field(None, description="Minimum loss reduction for a split")
    scale_pos_weight: float | None = Field(None, description="Weight of the positive rows")
    max_bin: int | None = Field(None, description="Bins of a feature's histogram")
    max_cat_to_onehot: int | None = Field(
        None, description="Categories below which XGBoost splits one against the rest"
    )
    base_score: float | None = Field(None, description="Score that boosting starts from")
    tweedie_variance_power: float | None = Field(None, description="Power of the variance of the objective tweedie")
    huber_slope: float | None = Field(None, description="Error from which the objective pseudo_huber is linear")
    rounds: int | None = Field(None, description="Maximum number of boosting rounds")
    early_stopping_rounds: int | None = Field(
        None, description="Rounds without a lower loss after which training stops"
    )
    refit: bool | None = Field(
        None, description="Whether the model is trained again on the whole window with the best number of rounds"
    )
    seed: int | None = Field(None, description="Seed of every random choice of training")
    candidate: bool = Field(
        False,
        description=(
            "Whether the models of this run become the models of their days, evaluated and registered as usual; "
            "otherwise they are experiments"
        ),
    )
    train: bool = Field(
        False,
        description=(
            "Whether each day of this run gets a model, even if none is due (training.every); it is evaluated, "
            "registered and released like any other"
        ),
    )

    def overrides(self) -> dict[str, Any]:
        """Return the settings that have a value, by name."""
        return {
            name: value for name, value in self.model_dump(exclude={"candidate", "train"}).items() if value is not None
        }


def read_config(context: dg.AssetExecutionContext) -> TrainingConfig:
    """Read the configuration of the op of a run."""
    return TrainingConfig(**context.op_execution_context.op_config)


def is_model_requested(context: dg.AssetExecutionContext, spec: ModelSpec) -> bool:
    """Return whether a run asks for models even if none is due; the step of each asset reads it."""
    ops: Any = context.run.run_config.get("ops") or {}
    return bool(((ops.get(step_name(spec, MODEL)) or {}).get("config") or {}).get("train", False))


def request_models(spec: ModelSpec) -> dict[str, Any]:
    """Return the section `ops` of the run config that asks for models even if none is due."""
    return {step_name(spec, MODEL): {"config": {"train": True}}}


def is_experiment(context: dg.AssetExecutionContext) -> bool:
    """Return whether a run trains with overrides and its models are not candidates."""
    config = read_config(context)
    return bool(config.overrides()) and not config.candidate


def read_overrides(context: dg.AssetExecutionContext, spec: ModelSpec) -> dict[str, Any]:
    """Read and validate the overrides of a run.

    Raises:
        dagster.Failure: when the specification does not allow them; names each with the values that are allowed.
    """
    overrides = read_config(context).overrides()
    try:
        with_training(spec, overrides)
    except ValueError as error:
        raise dg.Failure(f"the configuration of the run is invalid: {error}", allow_retries=False) from error
    return overrides
