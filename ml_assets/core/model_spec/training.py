"""Training of a model: its window, preprocessing and parameters, its engine, and the rule of the decision threshold."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ml_assets.core.model_spec.dask_cluster import DaskCluster, Engine
from ml_assets.core.model_spec.search import Search
from ml_assets.core.model_spec.types.base import SpecPart, repeated
from ml_assets.core.model_spec.types.durations import Interval, PositiveDays
from ml_assets.core.model_spec.types.task import Direction, Objective

Scaling = Literal["standard", "minmax"]
Encoding = Literal["native", "onehot", "ordinal", "frequency"]


Trigger = Literal["drift", "stale_inputs"]
LONGEST_MONTH = timedelta(days=31)


class Preprocessing(SpecPart):
    """Preprocessing, fitted on the training days only and stored with the model."""

    scale: dict[str, Scaling] = {}
    """Scaling of each feature: standard ((x - mean) / std) or minmax ((x - min) / (max - min)). Trees do not need
    it."""

    encode: dict[str, Encoding] = {}
    """Encoding of each categorical feature: native (XGBoost's own categories, the default), onehot, ordinal
    (position in sorted order) or frequency (share of the training rows). A category that is not in the training rows
    is missing."""


class Threshold(SpecPart):
    """The rule that chooses the decision threshold on the early-stopping part of the training window, for a binary
    target."""

    rule: Literal["max_f1", "min_precision", "min_recall", "fixed"] = "max_f1"
    """max_f1: the threshold with the best F1. min_precision: the lowest threshold whose precision reaches `value`.
    min_recall: the highest threshold whose recall reaches `value`. fixed: `value` itself. If no threshold satisfies the
    rule, max_f1 is used, with a note."""

    value: float | None = Field(None, gt=0, lt=1)
    """Value of the rule; not for max_f1."""

    @model_validator(mode="after")
    def _value_fits_the_rule(self) -> "Threshold":
        if (self.rule == "max_f1") == (self.value is not None):
            raise ValueError(f"rule {self.rule} {'takes no' if self.value is not None else 'needs a'} value")
        return self


class Parameters(SpecPart):
    """Parameters of XGBoost, under XGBoost's own names; the defaults suit rare positives."""

    eta: float = Field(0.1, gt=0, le=1)
    """Learning rate."""
    max_depth: int = Field(5, ge=1, le=100)
    """Maximum depth of a tree."""
    min_child_weight: float = Field(1.0, ge=0, le=1e9)
    """Minimum sum of instance weight in a leaf."""
    subsample: float = Field(1.0, gt=0, le=1)
    """Share of the rows that each tree uses."""
    colsample_bytree: float = Field(1.0, gt=0, le=1)
    """Share of the features that each tree uses."""
    reg_lambda: float = Field(1.0, ge=0, le=1e9)
    """L2 regularization of leaf values."""
    reg_alpha: float = Field(0.0, ge=0, le=1e9)
    """L1 regularization of leaf values."""
    gamma: float = Field(0.0, ge=0, le=1e9)
    """Minimum loss reduction of a split."""
    scale_pos_weight: float = Field(1.0, gt=0, le=1e9)
    """Weight of the positives of a binary target."""
    max_bin: int = Field(2048, ge=2, le=1_000_000)
    """Number of bins of a feature's histogram. Up to 256 bins take one byte of memory per value, more take two. Few
    bins lower average precision when positives are rare, so the default is 2048 for a binary target; for the other
    tasks, whose errors that would increase, it is 256."""
    max_cat_to_onehot: int = Field(4, ge=1, le=1_000_000)
    """Number of categories below which XGBoost splits one category from the rest."""
    base_score: float | None = Field(None, ge=-1e9, le=1e9)
    """Score or prediction from which boosting starts. By default 0.5 for a binary target, because XGBoost's own
    estimate is worse when positives are rare, and XGBoost's own estimate for the other tasks."""
    tweedie_variance_power: float | None = Field(None, ge=1, lt=2)
    """Variance power of the objective tweedie, 1.5 by default as in XGBoost; values near 2 resemble gamma, near 1
    poisson."""
    huber_slope: float | None = Field(None, gt=0, le=1e9)
    """Error, in units of the target, above which the objective pseudo_huber is linear; by default the 0.9 quantile of
    the absolute deviations of the target from its median."""


class Training(SpecPart):
    """The training window, its early-stopping part, and the parameters."""

    window: PositiveDays
    """Length of the training window. It ends `label_delay` before the holdout begins."""

    every: Interval = timedelta(days=1)
    """Interval between models: whole days, such as 7d, counted from the first day that has a model, or a cron
    expression, such as 0 2 * * 1: the daily run of a day with a tick trains. On other days, the live model scores
    without new training."""

    when: list[Trigger] = []
    """Reasons to train earlier. drift: the check `feature_drift` of the day fails, and the day is not accepted.
    stale_inputs: days of the training window of the newest model changed since it was trained, or a due model was not
    trained."""

    validation: PositiveDays = timedelta(days=2)
    """The most recent part of the training window, on which rounds and threshold are chosen."""

    refit: bool = True
    """Whether to train the model again on the whole window, with the number of rounds from early stopping, so that it
    also learns from the newest rows."""

    rounds: int = Field(500, ge=1, le=1_000_000)
    """Maximum number of boosting rounds."""

    early_stopping_rounds: int = Field(30, ge=1, le=1_000_000)
    """Number of rounds without improvement of the loss on the early-stopping part after which training stops. The loss
    is the log loss, or for a regression that of its objective."""

    objective: Objective | None = None
    """Loss of a regression; squared_error by default. squared_error predicts the mean, absolute_error the median,
    pseudo_huber a compromise of the two. quantile predicts `quantiles`. poisson, tweedie and gamma predict the mean of
    amounts that are not negative (gamma: above 0)."""

    quantiles: list[Annotated[float, Field(gt=0, lt=1)]] = []
    """Quantiles that the objective quantile predicts, ascending, such as [0.05, 0.5, 0.95]. One model predicts all of
    them; crossing quantiles are sorted."""

    monotone: dict[str, Direction] = {}
    """Monotonic constraints: the direction (increasing or decreasing) in which the score or prediction may change with
    a numeric feature when all others are fixed."""

    interactions: list[Annotated[list[str], Field(min_length=1)]] = []
    """Interaction constraints: features may be used together in one branch of a tree only if one group contains all of
    them. A feature without a group interacts with no other."""

    seed: int = Field(20250101, ge=0, le=2**31 - 1)
    """Seed of every random choice."""

    batch_rows: int = Field(250_000, ge=1, le=1_000_000_000)
    """Number of rows in a batch for XGBoost; several small days form one batch."""

    engine: Engine = "memory"
    """memory: the quantized rows are in memory. external_memory: they are in files in a temporary directory, and memory
    holds a few batches. dask: they are in the memory of the workers of a Dask cluster, which read the days themselves.
    The first two give the same model, byte for byte. Dask sums in no fixed order, so training may stop at another round
    with slightly different metrics; with absolute_error and quantile, metrics may differ by a few percent, because
    XGBoost fits the leaves to the rows of each worker and averages them."""

    checkpoint_rounds: int = Field(50, ge=1, le=1_000_000)
    """Number of rounds between checkpoints in the lake. A run that was killed resumes from the last one and produces
    the same bytes. Training with fewer rounds writes no checkpoint."""

    dask: DaskCluster = DaskCluster()
    preprocessing: Preprocessing = Preprocessing()
    threshold: Threshold = Threshold()
    parameters: Parameters = Parameters()
    search: Search | None = None
    """Hyperparameter search; without it, training uses `parameters`."""

    @property
    def has_sampling(self) -> bool:
        """Whether each tree uses a random part of the rows or features."""
        return self.parameters.subsample < 1 or self.parameters.colsample_bytree < 1

    @property
    def longest_gap(self) -> timedelta:
        """Maximum time by which the newest model may be older than the newest day; a cron expression counts as
        monthly."""
        return (self.every if isinstance(self.every, timedelta) else LONGEST_MONTH) - timedelta(days=1)

    def settings_of_model(self, on_gpu: bool) -> dict:
        """Return the settings that determine the bytes of a model, as JSON-able values, without the search.

        They include the number of rounds between checkpoints where XGBoost restarts at each checkpoint.
        """
        restarts = self.has_sampling or on_gpu or self.engine == "dask"
        left_out = {"dask", "search", "every", "when", *(() if restarts else ("checkpoint_rounds",))}
        return self.model_dump(mode="json", exclude=left_out)

    @model_validator(mode="after")
    def _validation_leaves_days_to_train_on(self) -> "Training":
        if self.validation >= self.window:
            raise ValueError(f"validation ({self.validation.days}d) must be shorter than window ({self.window.days}d)")
        if (self.objective == "quantile") != bool(self.quantiles):
            raise ValueError(
                "quantiles: the objective quantile needs at least one, such as [0.05, 0.5, 0.95]"
                if self.objective == "quantile"
                else "quantiles: only the objective quantile has them; set objective: quantile"
            )
        if self.quantiles != sorted(set(self.quantiles)):
            raise ValueError("quantiles: state each once, in ascending order")
        if self.when and self.every == timedelta(days=1):
            raise ValueError("when: a model is already due every day; set every to a longer time, such as 7d")
        if twice := repeated(self.when):
            raise ValueError(f"when: named more than once: {', '.join(twice)}")
        if self.search is not None:
            self.search.check(self.parameters, self.validation, self.window)
        return self
