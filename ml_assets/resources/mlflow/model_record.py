"""A trained model with everything that MLflow stores about it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ml_assets.core.model.files import ARTIFACTS
from ml_assets.resources.observability.redaction import redact_text

if TYPE_CHECKING:
    import pandas as pd

GATE = "gate_"


@dataclass(frozen=True)
class ModelRecord:
    """A trained model, its evaluation, and where its files lie.

    Raises:
        ValueError: when an artifact is missing or unknown, the example has no rows, or the name of a plot or document
            is a path.
    """

    name: str
    """Name of the model: letters, digits, `_` and `-`."""
    day: date
    """The day as of which the model was trained."""
    digest: str
    """Digest of the model: letters, digits, `_`, `:` and `-`."""
    artifacts: Mapping[str, bytes]
    """Content of model.ubj, preprocessing.json and passport.json."""
    example: "pd.DataFrame"
    """A few rows of features, as the scorer expects them."""
    params: Mapping[str, object]
    """Parameters of the training."""
    metrics: Mapping[str, float]
    """Metrics of the evaluation. Metrics that are not finite are not logged, but listed in the tag
    `metrics_not_finite`.
    """
    plots: Mapping[str, bytes] = field(default_factory=dict)
    """Images by file name."""
    documents: Mapping[str, bytes] = field(default_factory=dict)
    """Files for people by file name, such as the report of the day."""
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Values of a metric by round of boosting; the round is the step of the metric."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Further tags of run and version."""
    about: str = ""
    """Description of what the model predicts, and for whom, used for the registered model when it is created."""
    lake: str = ""
    """URI of the lake."""
    lake_folder: str = ""
    """Folder of the model's files, relative to the lake."""

    def __post_init__(self):
        if set(self.artifacts) != set(ARTIFACTS):
            raise ValueError(
                f"artifacts of {self.name}: must be {', '.join(ARTIFACTS)}, not "
                f"{', '.join(sorted(self.artifacts)) or 'none'}"
            )
        if self.example.empty:
            raise ValueError(
                f"example of {self.name}: must have a row or more; the signature of the model is read from it"
            )
        for kind, files in [("plots", self.plots), ("documents", self.documents)]:
            for name in files:
                if Path(name).name != name:
                    raise ValueError(f"{kind} of {self.name}: {name!r} must be a file name without a folder")

    def all_tags(self) -> dict[str, str]:
        """Return the tags of run and version: the given tags without the secrets of this process, `day`,
        `model_digest`, and the names of metrics that are not finite, if there are any.
        """
        missing = sorted(set(self.metrics) - set(self.finite_metrics()))
        not_finite = {"metrics_not_finite": ", ".join(missing)} if missing else {}
        given = {name: redact_text(value) for name, value in self.tags.items()}
        return {**given, **not_finite, "day": self.day.isoformat(), "model_digest": self.digest}

    def gate_reasons(self) -> dict[str, str]:
        """Return the reason of each gate by its name, from the tags."""
        return {name[len(GATE) :]: value for name, value in self.all_tags().items() if name.startswith(GATE)}

    def version_tags(self) -> dict[str, str]:
        """Return the tags without the reasons of gates, which are in the tags of the run and in the description."""
        return {name: value for name, value in self.all_tags().items() if not name.startswith(GATE)}

    def param_texts(self) -> dict[str, str]:
        """Return the parameters as text, without the secrets of this process."""
        return {name: redact_text(str(value)) for name, value in self.params.items()}

    def finite_metrics(self) -> dict[str, float]:
        """Return the metrics that MLflow can store: stores differ in how they store NaN and infinity."""
        return {name: float(value) for name, value in self.metrics.items() if math.isfinite(value)}
