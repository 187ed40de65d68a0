"""What one run may be asked to train otherwise than the specification says: the typed configuration of trained_model,
for the launchpad.
"""

from typing import Any

import dagster as dg
from pydantic import Field

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.overrides import with_training


class TrainingConfig(dg.Config):
    """Settings of training that this run has other values of; those left out are as the specification says, or as a
    search found them.

    A run with overrides is an experiment: tracked in MLflow, and nothing else. With `candidate` its models are the
    models of their days.
    """

    eta: float | None = Field(None, description="Learning rate")
    max_depth: int | None = Field(None, description="Depth of a tree")
    min_child_weight: float | None = Field(None, description="Least sum of instance weight in a leaf")
    subsample: float | None = Field(None, description="Share of the rows seen by a tree")
    colsample_bytree: float | None = Field(None, description="Share of the features seen by a tree")
    reg_lambda: float | None = Field(None, description="L2 regularisation of leaf values")
    reg_alpha: float | None = Field(None, description="L1 regularisation of leaf values")
    gamma: float | None = Field(None, description="Least loss reduction for a split")
    scale_pos_weight: float | None = Field(None, description="Weight of the positives")
    max_bin: int | None = Field(None, description="Bins of a feature's histogram")
    max_cat_to_onehot: int | None = Field(
        None, description="Categories below which XGBoost splits one against the rest"
    )
    base_score: float | None = Field(None, description="Score that boosting starts from")
    rounds: int | None = Field(None, description="Most rounds of boosting")
    early_stopping_rounds: int | None = Field(
        None, description="Rounds without lower log loss after which training stops"
    )
    refit: bool | None = Field(
        None, description="Whether the model is trained again on the whole window with the rounds found"
    )
    seed: int | None = Field(None, description="Seed of every random choice of training")
    candidate: bool = Field(
        False,
        description="Whether the models of this run become those of their days, judged and registered as any other; else they are experiments",
    )

    def overrides(self) -> dict[str, Any]:
        """The settings that were given, by name."""
        return {name: value for name, value in self.model_dump(exclude={"candidate"}).items() if value is not None}


def config_of(context: dg.AssetExecutionContext) -> TrainingConfig:
    """The configuration of the op of a run."""
    return TrainingConfig(**context.op_execution_context.op_config)


def is_experiment(context: dg.AssetExecutionContext) -> bool:
    """Whether a run trains with overrides, and was not asked to make candidates of them."""
    config = config_of(context)
    return bool(config.overrides()) and not config.candidate


def overrides_of(context: dg.AssetExecutionContext, spec: ModelSpec) -> dict[str, Any]:
    """The overrides of a run.

    Raises:
        dagster.Failure: when the specification would not allow them; it names each, with what is allowed.
    """
    overrides = config_of(context).overrides()
    try:
        with_training(spec, overrides)
    except ValueError as error:
        raise dg.Failure(f"the configuration of the run is not allowed: {error}", allow_retries=False) from error
    return overrides
