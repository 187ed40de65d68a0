"""Deployment of a model that passed its gates: at once, or as a canary for a growing share of the entities."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import PositiveDays, Wait
from ml_assets.core.model_spec.types.metric_names import ComparedMetric


class Canary(SpecPart):
    """A canary release: the challenger is live for a share of the entities and is compared with the champion, which
    also scores their rows, without effect. It may begin in shadow: the challenger then scores all rows, without effect.

    Every entity keeps its model while the share grows: entities only move from champion to challenger. Only days whose
    labels are known are compared.
    """

    steps: list[Annotated[int, Field(ge=0, le=100)]] = [5, 25, 100]
    """Share of the entities at each step, in percent, ascending. 0, allowed only as the first step, is a shadow: the
    challenger scores all rows, without effect, and is compared on all of them. At the last, 100, the challenger becomes
    the champion."""

    minimum_days: int = Field(3, ge=1, le=3650)
    """Minimum number of days with known labels in each step."""

    minimum_rows: int = Field(500, ge=1, le=1_000_000_000)
    """Minimum number of labelled rows of the challenger's entities in each step; in shadow, of all labelled rows."""

    minimum_positives: int = Field(10, ge=1, le=1_000_000_000)
    """Minimum number of positives among the labelled rows of the challenger's entities since the canary began; with
    fewer, no metric decides. For task binary."""

    maximum_days: PositiveDays = timedelta(days=60)
    """Maximum length of a step without a decision, from its first day on; then the challenger is rolled back."""

    metric: ComparedMetric = "average_precision"
    """Metric that decides; all comparable metrics are measured for both models. The default is that of
    `champion.metric`."""

    margin: float = Field(0.02, ge=-1000, le=1000, allow_inf_nan=False)
    """Difference by which the challenger may be worse and still advance; below 0, the difference by which it must be
    better. It is rolled back when it is worse by more than this and the whole confidence interval of the difference
    lies below 0. For metrics in the unit of the target, a share of the champion's value, as for `champion.margin`."""

    maximum_error_increase: float = Field(0.01, ge=0, le=1)
    """Maximum increase of the error over the champion's: of the share of wrong decisions for task binary, of the share
    of wrong classes for multiclass, and of the mean absolute error, relative to the champion's, for regression. The
    challenger is rolled back when the whole confidence interval of the difference lies above it."""

    maximum_decision_ratio: float = Field(3.0, gt=1, allow_inf_nan=False, le=1000)
    """Maximum ratio, in either direction, of positive decisions of challenger and champion on the same rows. The
    challenger is rolled back when the whole confidence interval of the ratio lies outside this range. It needs no
    labels, so it applies from the first day on. For task binary."""

    maximum_prediction_distance: float = Field(0.3, gt=0, le=1)
    """Maximum distance of the predictions of challenger and champion on the same rows, without labels: for task
    regression the Kolmogorov-Smirnov distance of the predictions, for multiclass half of the sum of the absolute
    differences of the shares of the predicted classes. The challenger is rolled back when the distance exceeds this by
    more than chance explains."""

    confidence: float = Field(0.99, gt=0, lt=1)
    """Confidence level of the intervals; high, because the two models are compared every day."""

    bootstrap_samples: int = Field(500, ge=20, le=100_000)
    """Number of bootstrap samples of each interval."""

    newer_challenger: Literal["waits", "replaces"] = "waits"
    """Treatment of a newer model that passes its gates during a canary release. waits: it waits for the decision on the
    current challenger; the newest waiting model is next. replaces: it replaces the current challenger and starts at the
    first step."""

    @model_validator(mode="after")
    def _steps_grow_to_all(self) -> "Canary":
        if not self.steps or self.steps != sorted(set(self.steps)) or self.steps[0] < 0 or self.steps[-1] != 100:
            raise ValueError(
                f"steps {self.steps} must grow from 0 (a shadow) or more to 100, each once, such as [5, 25, 100]"
            )
        return self

    @property
    def divides_entities(self) -> bool:
        """Whether a step divides the entities between champion and challenger."""
        return any(0 < step < 100 for step in self.steps)


class Capture(SpecPart):
    """The requests of the scoring service that are kept in the table served_requests, with their features and answers.

    Kept are the row key, the event time, the entity, the slices and every feature.
    """

    sample: float = Field(1.0, ge=0, le=1)
    """Share of the scored rows whose requests are kept; with 0 the table stays and gets no rows. A hash of the row key
    chooses, so every process keeps the same rows."""
    hashed: list[str] = []
    """Names of categorical features, and of columns other than the row key and the event time, whose values are
    replaced by a keyed hash (HMAC-SHA-256; the key is in ML_ASSETS_CAPTURE_KEY). Equal values have equal hashes."""
    leave_out: list[str] = []
    """Names of columns and features that are not kept."""
    buffer_rows: int = Field(10_000, ge=1, le=1_000_000)
    """Maximum number of requests held in the memory of the service until they are on the local disk. Further requests
    are dropped and counted in the metric ml_assets_capture_dropped_total."""
    flush_every: Wait = timedelta(minutes=5)
    """Maximum time until kept requests are written to the lake."""


class QualityEstimate(SpecPart):
    """The quality of predictions in the table prediction_quality: estimated on their day from the calibrated scores,
    and realised once their labels are known."""

    minimum_positives: int = Field(20, ge=1, le=1_000_000)
    """Minimum number of positives, and of negatives, in the holdout for the scores of a model to be calibrated."""
    confidence: float = Field(0.95, gt=0, lt=1)
    """Confidence level of the intervals."""
    samples: int = Field(200, ge=20, le=100_000)
    """Number of samples of each interval."""


class Deployment(SpecPart):
    """The deployment of models, the reasons given for the highest scores, and monitoring in production."""

    canary: Canary | None = None
    """The canary release; needs `entity`, unless its steps are [0, 100]. Without it, a model that passed its gates
    becomes the champion at once."""

    explained_rows: int = Field(100, ge=0, le=1_000_000)
    """Number of the highest scores of a day whose predictions include reasons."""

    reasons: int = Field(3, ge=1, le=100)
    """Number of features that are named as reasons of a score."""

    capture: Capture | None = None
    """The requests of the scoring service that are kept. null: none."""

    quality: QualityEstimate | None = None
    """The quality of predictions before and after their labels are known. null: it is neither estimated nor
    measured."""
