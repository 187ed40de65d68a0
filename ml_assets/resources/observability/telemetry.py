"""Metrics of steps, pushed by OTLP over HTTP to whatever the standard variables of OpenTelemetry name: a collector, or
Prometheus itself.
"""

import math
from collections.abc import Sequence

from ml_assets.core.operations.step_metrics import METRICS, Sample

SERVICE = "ml_assets"
MILLISECONDS_TO_SEND = 5_000
_on = False


def switch_telemetry(on: bool) -> None:
    """Whether steps of this process push metrics; off until somebody says so."""
    global _on
    _on = on


def telemetry_is_on() -> bool:
    """Whether steps of this process push metrics."""
    return _on


def push(samples: Sequence[Sample]) -> None:
    """Send samples, once, and wait until they are taken or a few seconds have passed; then OpenTelemetry logs that they
    were not.

    All are gauges with one sample for each step: processes come and go, so none has a count that goes on, and sums over
    time add the samples up.
    """
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource

    # Nothing is sent but by the flush.
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=math.inf)
    provider = MeterProvider([reader], Resource.create({"service.name": SERVICE}), shutdown_on_exit=False)
    meter = provider.get_meter(SERVICE)
    gauges = {name: meter.create_gauge(name, unit, about) for name, (unit, about) in METRICS.items()}
    for sample in samples:
        gauges[sample.name].set(sample.value, dict(sample.attributes))
    try:
        provider.force_flush(MILLISECONDS_TO_SEND)
    finally:
        provider.shutdown(MILLISECONDS_TO_SEND)
