"""The Prometheus metrics of the service."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from ml_assets.core.model_spec.types.task import BINARY, DECISION, MULTICLASS, REGRESSION, Outputs
from ml_assets.core.serving.faults import MORE
from ml_assets.core.serving.request import EARLIER
from ml_assets.service.history import HistoryCache
from ml_assets.service.model_loader import ModelLoader

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
SCORES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
UNKNOWN = "unknown"


class Metrics:
    """The metrics of one service, in their own Prometheus registry; gauges are read at each scrape."""

    def __init__(
        self, columns: Mapping[str, object], outputs: Outputs, loader: ModelLoader, history: HistoryCache
    ) -> None:
        from prometheus_client import Counter, Gauge, Histogram, Summary

        self._columns = {*columns, EARLIER}
        self._loader = loader
        self._history = history
        self._children: dict[tuple, Any] = {}
        counter = partial(Counter, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self._requests = counter("ml_assets_requests", "Scoring requests, by status of the response", ["status"])
        self._scored = counter(
            "ml_assets_scored",
            "Scores given, by side, version and decision: positive or negative, the class, or none of a regression",
            ["side", "version", "decision"],
        )
        self._seconds = histogram(
            "ml_assets_request_seconds", "Seconds from the head of a request to its response", buckets=SECONDS
        )
        self._outputs = outputs
        if outputs.task == REGRESSION:
            self._scores = Summary(
                "ml_assets_prediction", "Predictions given, by side", ["side"], registry=self.registry
            )
        else:
            about = "Scores given, or probabilities of the predicted class, by side"
            self._scores = histogram("ml_assets_score", about, ["side"], buckets=SCORES)
        self._refused = counter(
            "ml_assets_refused",
            "Faults of requests, by field and rule; a field that is not a column is `unknown`",
            ["field", "rule"],
        )
        self.failed_refreshes = counter(
            "ml_assets_failed_refreshes", "Refreshes from the registry or the lake that failed", ["at"]
        )
        self._closed = counter(
            "ml_assets_closed_connections", "Connections that the service ended early, by reason", ["reason"]
        )
        self._captured = counter("ml_assets_captured", "Served requests that were written to the lake")
        self._capture_dropped = counter(
            "ml_assets_capture_dropped", "Served requests of the sample that were not kept, by reason", ["reason"]
        )
        self.connections = gauge("ml_assets_connections", "Open connections")
        for name, description, read in (
            (
                "ml_assets_registry_age_seconds",
                "Seconds since the registry answered last; infinite before",
                lambda: registry_age(loader),
            ),
            ("ml_assets_canary_percent", "Percent of the entities that the challenger scores", self._percent),
            ("ml_assets_ready", "Whether requests are scored", lambda: float(self._is_ready())),
            (
                "ml_assets_models_in_sync",
                "Whether the loaded models match the registry",
                lambda: float(loader.problem is None),
            ),
            (
                "ml_assets_features_through_seconds",
                "Beginning of the newest day of history, seconds since 1970 UTC; 0 without one",
                self._through,
            ),
        ):
            gauge(name, description).set_function(read)
        version = gauge("ml_assets_live_version", "Loaded version, by side; 0 without one", ["side"])
        for side in ("champion", "challenger"):
            version.labels(side).set_function(lambda side=side: self._version(side))

    @cached_property
    def registry(self) -> "CollectorRegistry":
        """The Prometheus registry of these metrics."""
        from prometheus_client import CollectorRegistry

        return CollectorRegistry()

    def record_response(self, status: int, begun: float) -> None:
        """Count a response.

        Args:
            status: its HTTP status.
            begun: `time.perf_counter()` when the request arrived.
        """
        self._child(self._requests, str(status)).inc()
        self._seconds.observe(time.perf_counter() - begun)

    def record_prediction(self, side: str, version: int, predicted: Mapping[str, Any]) -> None:
        """Count a prediction, and observe the score, the predicted value or the highest probability."""
        value, decision = predicted[self._outputs.main], "none"
        if self._outputs.task == BINARY:
            decision = "positive" if predicted[DECISION] else "negative"
        elif self._outputs.task == MULTICLASS:
            decision, value = str(value), max(predicted[name] for name in self._outputs.values)
        self._child(self._scored, side, str(version), decision).inc()
        self._child(self._scores, side).observe(value)

    def record_faults(self, faults: list[dict[str, Any]]) -> None:
        """Count the faults of a request that breaks the contract."""
        for fault in faults:
            if fault["type"] == MORE:
                continue
            names = [part for part in fault["loc"] if isinstance(part, str) and part not in ("body", EARLIER)]
            field = names[0] if names and names[0] in self._columns else UNKNOWN if names else "body"
            self._refused.labels(field, fault["type"]).inc()

    def record_closed(self, reason: str) -> None:
        """Count a connection that the service ended early."""
        self._child(self._closed, reason).inc()

    def record_captured(self, rows: int) -> None:
        """Count served requests that were written to the lake."""
        self._captured.inc(rows)

    def record_capture_dropped(self, reason: str, rows: int) -> None:
        """Count served requests that were not kept."""
        self._child(self._capture_dropped, reason).inc(rows)

    def as_text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)

    def _child(self, metric: Any, *labels: str) -> Any:
        # Looking up a child in the Prometheus client takes a lock each time.
        key = (metric, labels)
        if key not in self._children:
            self._children[key] = metric.labels(*labels)
        return self._children[key]

    def _percent(self) -> float:
        return float(self._loader.models.percent) if self._loader.models else 0.0

    def _is_ready(self) -> bool:
        return self._loader.models is not None and self._history.features is not None

    def _through(self) -> float:
        features = self._history.features
        return datetime.combine(features.through, datetime.min.time(), UTC).timestamp() if features else 0.0

    def _version(self, side: str) -> float:
        version = getattr(self._loader.models, side, None)
        return float(version.version) if version else 0.0


def registry_age(loader: ModelLoader) -> float:
    """Return the seconds since the last answer of the registry; infinite before the first."""
    return float("inf") if loader.answered_at is None else time.monotonic() - loader.answered_at
