"""Steps push their metrics to a real OTLP receiver, which decodes them; no step fails when the receiver is gone."""

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import dagster as dg
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from ml_assets.core.operations.step_metrics import METRICS, Sample
from ml_assets.pipeline.steps.retries import ATTENDED
from ml_assets.resources.observability.telemetry import enable_telemetry, push
from ml_assets_tests.pipeline.world import World, day, failure, rows_of, tags_of
from ml_assets_tests.support.http_server import QuietHandler

LANDED = ["raw_data", "validated_data", "quarantined_data"]


class Receiver:
    """A receiver of metrics by OTLP over HTTP, which keeps (name, attributes, value) in order of arrival."""

    def __init__(self) -> None:
        self.samples: list[tuple[str, dict[str, str], float]] = []
        self.units: dict[str, str] = {}
        self.service = ""
        receiver = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/metrics"
                receiver.take(
                    ExportMetricsServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
                )
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.end_headers()
                self.wfile.write(ExportMetricsServiceResponse().SerializeToString())

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def take(self, request: ExportMetricsServiceRequest) -> None:
        for resource_metrics in request.resource_metrics:
            self.service = next(
                attribute.value.string_value
                for attribute in resource_metrics.resource.attributes
                if attribute.key == "service.name"
            )
            for metric in (metric for scope in resource_metrics.scope_metrics for metric in scope.metrics):
                self.units[metric.name] = metric.unit
                for point in metric.gauge.data_points:
                    attributes = {attribute.key: attribute.value.string_value for attribute in point.attributes}
                    self.samples.append((metric.name, attributes, point.as_double))

    def values(self, name: str, stage: str) -> list[float]:
        return [
            value
            for sample_name, attributes, value in self.samples
            if sample_name == name and attributes.get("stage") == stage
        ]


@pytest.fixture
def receiver(monkeypatch) -> Iterator[Receiver]:
    receiver = Receiver()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{receiver.server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    enable_telemetry(True)
    yield receiver
    enable_telemetry(False)
    receiver.server.shutdown()
    receiver.server.server_close()


def test_every_metric_arrives_once_with_its_name_unit_and_attributes(receiver):
    push([Sample(name, 2.0, {"model": "small"}) for name in METRICS])
    assert sorted(receiver.samples) == sorted((name, {"model": "small"}, 2.0) for name in METRICS)
    assert receiver.units == {name: unit for name, (unit, _) in METRICS.items()}
    assert receiver.service == "ml_assets"


def test_a_run_of_days_pushes_days_by_outcome_rows_bytes_and_seconds_of_each_stage(receiver, make_spec, tmp_path):
    world = World(tmp_path, make_spec())
    for number in (1, 2):
        world.land(day(number), rows_of(day(number)))
    world.land(day(3), b"nothing to read")
    world.run(LANDED, day(1), day(3))
    outcomes = {
        attributes["outcome"]: value
        for name, attributes, value in receiver.samples
        if name == "ml_assets.stage.days" and attributes["stage"] == "validated_data"
    }
    assert outcomes == {"computed": 2, "unchanged": 0, "problem": 1}
    assert receiver.values("ml_assets.stage.rows", "raw_data")[0] >= 120
    assert receiver.values("ml_assets.stage.bytes", "validated_data")[0] > 1000
    assert receiver.values("ml_assets.stage.duration", "validated_data")[0] > 0
    world.run(LANDED, day(1), day(2))
    assert receiver.values("ml_assets.stage.rows", "validated_data")[1:] == [0]
    assert {attributes["model"] for _, attributes, _ in receiver.samples} == {"small"}
    assert any(name == "ml_assets.run.queue_time" for name, _, _ in receiver.samples)


@pytest.mark.slow
def test_no_step_fails_when_the_receiver_is_gone(receiver, make_spec, tmp_path, monkeypatch):
    world = World(tmp_path, make_spec())
    world.land(day(1), rows_of(day(1)))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    world.run(["raw_data"], day(1))
    monkeypatch.setattr("ml_assets.pipeline.steps.step_metrics.push", _fail)
    world.run(["raw_data"], day(1))
    assert receiver.samples == []
    enable_telemetry(False)
    world.run(["raw_data"], day(1))


@pytest.mark.slow
def test_each_failed_attempt_is_pushed_with_its_cause_and_whether_a_retry_follows(
    receiver, make_spec, tmp_path, monkeypatch
):
    spec = make_spec(retries={"ingestion": {"times": 1, "delay": "1m"}})
    world = World(tmp_path, spec)
    world.land(day(1), rows_of(day(1)))
    monkeypatch.setattr("ml_assets.pipeline.ingestion.stage.Ingestion.make", _time_out)
    # An attended run waits a second instead of a minute.
    assert not world.materialize(["raw_data"], {**tags_of(day(1)), ATTENDED: "true"}).success
    attributes_of_step = {"model": "small", "stage": "raw_data", "cause": "transient"}
    failures = [
        (attributes, value) for name, attributes, value in receiver.samples if name == "ml_assets.step.failures"
    ]
    assert failures == [
        ({**attributes_of_step, "another_follows": "true"}, 1.0),
        ({**attributes_of_step, "another_follows": "false"}, 1.0),
    ]
    monkeypatch.setattr("ml_assets.pipeline.steps.step_metrics.push", _fail)
    monkeypatch.setattr("ml_assets.pipeline.ingestion.stage.Ingestion.make", lambda *_: 1 / 0)
    assert "division by zero" in failure(world.run(["raw_data"], day(1), succeed=False))


def _time_out(*_: object) -> None:
    raise TimeoutError("S3 does not answer")


def _fail(samples: object) -> None:
    raise RuntimeError("surprise")


def test_gates_and_metrics_of_a_model_are_pushed_from_its_evaluation(receiver, monkeypatch):
    from datetime import date
    from types import SimpleNamespace

    from ml_assets.core.checks.outcome import CheckOutcome
    from ml_assets.pipeline.engine.stage import DayOutcome
    from ml_assets.pipeline.steps.check_results import CheckRun
    from ml_assets.pipeline.steps.step_metrics import push_metrics

    outcomes = [
        CheckOutcome("gate_roc_auc", date(2025, 1, 1), False, "low"),
        CheckOutcome("gate_roc_auc", date(2025, 1, 2), True, "high"),
    ]
    check_runs = [CheckRun(dg.AssetKey(["small", "evaluation"]), "gate_roc_auc", outcomes, metadata={"value": 0.9})]
    record = SimpleNamespace(start_time=None)
    context = SimpleNamespace(
        instance=SimpleNamespace(get_run_record_by_id=lambda run_id: record), run_id="r", log=None
    )
    outcomes = [DayOutcome(date(2025, 1, 2), False, {}, 0.1, 1)]
    push_metrics(
        context, "small", SimpleNamespace(name="evaluation", tables={}), outcomes, check_runs, lambda: {"roc_auc": 0.9}
    )
    pushed = {
        name: (attributes, value)
        for name, attributes, value in receiver.samples
        if not name.startswith("ml_assets.stage")
    }
    assert pushed == {
        "ml_assets.gate.passed": ({"model": "small", "gate": "roc_auc"}, 1.0),
        "ml_assets.gate.value": ({"model": "small", "gate": "roc_auc"}, 0.9),
        "ml_assets.model.metric": ({"model": "small", "metric": "roc_auc"}, 0.9),
    }
