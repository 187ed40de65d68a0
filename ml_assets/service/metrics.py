"""What Prometheus is told of the service."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ml_assets.core.serving.request import EARLIER
from ml_assets.service.history import HeldHistory
from ml_assets.service.live import LiveModels

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
SCORES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
UNKNOWN = "unknown"


class Metrics:
    """The metrics of one service, in a registry of its own; those of the state are read when they are asked for."""

    def __init__(self, columns: Mapping[str, object], models: LiveModels, history: HeldHistory) -> None:
        from prometheus_client import Counter, Gauge, Histogram

        to = {"registry": self.registry}
        self._columns, self._models, self._history = {*columns, EARLIER}, models, history
        self._requests = Counter(
            "ml_assets_requests", "Requests for a score, by status of the answer", ["status"], **to
        )
        self._scored = Counter(
            "ml_assets_scored", "Scores given, by side, version and decision", ["side", "version", "decision"], **to
        )
        self._seconds = Histogram(
            "ml_assets_request_seconds", "Seconds from the head of a request to its answer", buckets=SECONDS, **to
        )
        self._scores = Histogram("ml_assets_score", "Scores given, by side", ["side"], buckets=SCORES, **to)
        self._refused = Counter(
            "ml_assets_refused",
            "Faults of requests, by field and rule; fields that are no columns are `unknown`",
            ["field", "rule"],
            **to,
        )
        self.failed_looks = Counter(
            "ml_assets_failed_looks", "Looks at the registry or the lake that failed", ["at"], **to
        )
        self._children: dict[tuple, Any] = {}
        age = Gauge("ml_assets_registry_age_seconds", "Seconds since the registry answered last; infinite before", **to)
        age.set_function(lambda: registry_age(models))
        Gauge("ml_assets_canary_percent", "Percent of the entities that the challenger scores", **to).set_function(
            self._percent
        )
        Gauge("ml_assets_ready", "Whether requests are scored", **to).set_function(lambda: float(self._is_ready()))
        Gauge("ml_assets_as_told", "Whether what is live is what the registry says", **to).set_function(
            lambda: float(models.problem is None)
        )
        through = Gauge(
            "ml_assets_features_through_seconds",
            "Beginning of the newest day of history, seconds since 1970 UTC; 0 without one",
            **to,
        )
        through.set_function(self._through)
        version = Gauge("ml_assets_live_version", "Version that is live, by side; 0 without one", ["side"], **to)
        for side in ("champion", "challenger"):
            version.labels(side).set_function(lambda side=side: self._version(side))

    @cached_property
    def registry(self) -> "CollectorRegistry":
        """Prometheus' own registry of these metrics."""
        from prometheus_client import CollectorRegistry

        return CollectorRegistry()

    def answered(self, status: int, begun: float) -> None:
        """A request was answered; `begun`: when it came, by the clock of performance."""
        self._child(self._requests, str(status)).inc()
        self._seconds.observe(time.perf_counter() - begun)

    def scored(self, side: str, version: int, score: float, decision: bool) -> None:
        """A score was given."""
        self._child(self._scored, side, str(version), "positive" if decision else "negative").inc()
        self._child(self._scores, side).observe(score)

    def refused(self, faults: list[dict[str, Any]]) -> None:
        """A request broke the contract."""
        for fault in faults:
            names = [part for part in fault["loc"] if isinstance(part, str) and part not in ("body", EARLIER)]
            field = names[0] if names and names[0] in self._columns else UNKNOWN if names else "body"
            self._refused.labels(field, fault["type"]).inc()

    def as_text(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)

    def _child(self, metric: Any, *labels: str) -> Any:
        # Prometheus' own look-up takes a lock each time.
        key = (metric, labels)
        if key not in self._children:
            self._children[key] = metric.labels(*labels)
        return self._children[key]

    def _percent(self) -> float:
        return float(self._models.live.percent) if self._models.live else 0.0

    def _is_ready(self) -> bool:
        return self._models.live is not None and self._history.features is not None

    def _through(self) -> float:
        features = self._history.features
        return datetime.combine(features.through, datetime.min.time(), UTC).timestamp() if features else 0.0

    def _version(self, side: str) -> float:
        version = getattr(self._models.live, side, None)
        return float(version.version) if version else 0.0


def registry_age(models: LiveModels) -> float:
    """Seconds since the registry answered last; infinite before."""
    return float("inf") if models.looked_at is None else time.monotonic() - models.looked_at
