"""How a model that passed its gates goes live: at once, or as a canary for a growing share of the entities."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from ml_assets.core.model_spec.evaluation import ComparedMetric
from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import PositiveDays


class Canary(SpecPart):
    """A challenger is live for a share of the entities and is compared there with the champion, which scores the same
    rows without effect.

    Every entity keeps its side: the share grows around those that have it. Only days whose labels are known are
    compared.
    """

    steps: list[int] = [5, 25, 100]
    """Percent of the entities at each step, growing. The last is 100: there the challenger becomes the champion."""

    minimum_days: int = Field(3, ge=1)
    """Days with known labels that each step needs, at the least, before the next."""

    minimum_rows: int = Field(500, ge=1)
    """Labelled rows of the challenger's entities that each step needs."""

    minimum_positives: int = Field(10, ge=1)
    """Positives among the labelled rows of the challenger's entities since the canary began, below which metrics say
    too little.
    """

    maximum_days: PositiveDays = timedelta(days=60)
    """How long a step may go on without a decision, counted from its first day; then the challenger is rolled back."""

    metric: ComparedMetric = "average_precision"
    """What is compared; all of these metrics are measured for both models."""

    margin: float = Field(0.02, allow_inf_nan=False)
    """How much worse the challenger may be and still advance. Below 0: how much better it has to be. It is rolled back
    when it is worse by more than this and the whole interval of the difference lies below 0."""

    maximum_error_increase: float = Field(0.01, ge=0, le=1)
    """Rolled back when the share of wrong decisions is higher than the champion's by more than this, with the whole
    interval of the difference.
    """

    maximum_decision_ratio: float = Field(3.0, gt=1, allow_inf_nan=False)
    """Rolled back when it decides positive this many times as often as the champion, or this many times as seldom, on
    the same rows, with the whole interval of the ratio. It needs no labels, so it is judged from the first day on."""

    confidence: float = Field(0.99, gt=0, lt=1)
    """Share of the resamples inside an interval; high, because the two are compared every day."""

    bootstrap_samples: int = Field(500, ge=20)
    """Resamples behind each interval."""

    newer_challenger: Literal["waits", "replaces"] = "waits"
    """What a model that passed its gates does while another is the canary: it waits until that one is decided upon, or
    takes its place at the first step. Of those that wait the newest is next."""

    @model_validator(mode="after")
    def _steps_grow_to_all(self) -> "Canary":
        if not self.steps or self.steps != sorted(set(self.steps)) or self.steps[0] < 1 or self.steps[-1] != 100:
            raise ValueError(f"steps {self.steps} must grow from 1 or more to 100, each once, such as [5, 25, 100]")
        return self


class Deployment(SpecPart):
    """How models go live, and what is told of the highest scores."""

    canary: Canary | None = None
    """Without it a model that passed its gates becomes the champion at once. Needs `entity`."""

    explained_rows: int = Field(100, ge=0)
    """Of how many of the highest scores of a day the predictions say why."""

    reasons: int = Field(3, ge=1)
    """How many features are named as reasons of a score."""
