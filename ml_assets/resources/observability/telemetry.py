"""Metrics of steps, pushed over OTLP/HTTP to the endpoint in OpenTelemetry's standard variables: a collector, or
Prometheus itself.
"""

import math
from collections.abc import Sequence

from ml_assets.core.extras import needs_extra
from ml_assets.core.operations.step_metrics import METRICS, Sample

SERVICE = "ml_assets"
SEND_TIMEOUT_MILLISECONDS = 5_000
_is_enabled = False


def enable_telemetry(is_enabled: bool) -> None:
    """Set whether steps of this process push metrics; by default they do not."""
    global _is_enabled
    _is_enabled = is_enabled


def is_telemetry_enabled() -> bool:
    """Return whether steps of this process push metrics."""
    return _is_enabled


def push(samples: Sequence[Sample]) -> None:
    """Send samples once, and wait until the receiver accepts them. If it has not after a few seconds, OpenTelemetry
    logs that.

    All metrics are gauges with one sample for each step: processes are too short-lived to maintain a counter, so sums
    over time add up the samples.
    """
    with needs_extra("metrics", "an endpoint for metrics (OTEL_EXPORTER_OTLP_METRICS_ENDPOINT)"):
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource

    # Only the flush below sends anything.
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=math.inf)
    provider = MeterProvider([reader], Resource.create({"service.name": SERVICE}), shutdown_on_exit=False)
    meter = provider.get_meter(SERVICE)
    gauges = {name: meter.create_gauge(name, unit, about) for name, (unit, about) in METRICS.items()}
    for sample in samples:
        gauges[sample.name].set(sample.value, dict(sample.attributes))
    try:
        provider.force_flush(SEND_TIMEOUT_MILLISECONDS)
    finally:
        provider.shutdown(SEND_TIMEOUT_MILLISECONDS)
