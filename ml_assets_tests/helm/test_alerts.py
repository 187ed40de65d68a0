"""Alerts fire and do not fire on series that Prometheus would have, evaluated by promtool where it is installed."""

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from ml_assets_tests.helm.charts import of_kind, our_values, render

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="needs promtool, of the package prometheus")

[RULES] = [manifest["spec"] for manifest in of_kind(render(our_values("production")), "PrometheusRule")]
ALERTS = {rule["alert"]: rule for rule in RULES["groups"][0]["rules"]}
MODEL = 'ml_assets_model="fraud_detection", namespace="ml-assets"'
OF_MODEL = {"ml_assets_model": "fraud_detection"}
POD = 'namespace="ml-assets", pod="a", container="scoring"'
OF_POD = {"pod": "a", "container": "scoring"}
LIMIT = (f'kube_pod_container_resource_limits{{{POD}, resource="memory"}}', "100x60")
OOM = f'kube_pod_container_status_last_terminated_reason{{{POD}, reason="OOMKilled"}}'
RESTARTS = f"kube_pod_container_status_restarts_total{{{POD}}}"
NAMESPACE = {"namespace": "ml-assets"}
# The service is ready, so that no alert of a missing one fires.
READY = (f'ml_assets_ready{{{MODEL}, pod="a"}}', "1x200")
DEPLOYMENT = "kube_deployment_status_replicas_available"
SCALER = 'namespace="ml-assets", horizontalpodautoscaler="scoring"'
QUOTA = 'namespace="ml-assets", resourcequota="ml-assets", resource="pods"'
OF_QUOTA = {**NAMESPACE, "resourcequota": "ml-assets", "resource": "pods"}

# Alert, its series with a value each interval, the minute, and the labels with which it fires; None when it does not.
CASES: list[tuple[str, list[tuple[str, str]], int, dict[str, str] | None]] = [
    ("ScoringRefusesToScore", [(READY[0], "0x60")], 5, OF_MODEL),
    ("ScoringRefusesToScore", [(f'ml_assets_ready{{{MODEL}, pod="b"}}', "0x60"), READY], 5, None),
    ("ScoringRefusesToScore", [], 5, {**OF_MODEL, **NAMESPACE}),
    ("ScoringErrors", [(f'ml_assets_requests_total{{{MODEL}, status="500"}}', "0+60x60")], 15, OF_MODEL),
    ("ScoringErrors", [(f'ml_assets_requests_total{{{MODEL}, status="200"}}', "0+60x60")], 15, None),
    ("ScoringRefusals", [(f'ml_assets_requests_total{{{MODEL}, status="422"}}', "0+60x90")], 60, OF_MODEL),
    (
        "ScoringSlow",
        [
            (f'ml_assets_request_seconds_bucket{{{MODEL}, le="0.1"}}', "0+50x60"),
            (f'ml_assets_request_seconds_bucket{{{MODEL}, le="1"}}', "0+60x60"),
            (f'ml_assets_request_seconds_bucket{{{MODEL}, le="+Inf"}}', "0+60x60"),
        ],
        30,
        OF_MODEL,
    ),
    (
        "ScoringSlow",
        [(f'ml_assets_request_seconds_bucket{{{MODEL}, le="{le}"}}', "0+60x60") for le in ("0.1", "1", "+Inf")],
        30,
        None,
    ),
    ("ScoringModelsOutOfSync", [(f'ml_assets_models_in_sync{{{MODEL}, pod="a"}}', "0x60")], 15, OF_MODEL),
    ("ScoringRegistryUnreachable", [(f'ml_assets_registry_age_seconds{{{MODEL}, pod="a"}}', "0+60x60")], 30, OF_MODEL),
    ("ScoringRegistryUnreachable", [(f'ml_assets_registry_age_seconds{{{MODEL}, pod="a"}}', "5x60")], 30, None),
    (
        "ScoringAtMaximum",
        [
            (f"kube_horizontalpodautoscaler_status_current_replicas{{{SCALER}}}", "20x60"),
            (f"kube_horizontalpodautoscaler_spec_max_replicas{{{SCALER}}}", "20x60"),
        ],
        40,
        {**NAMESPACE, "horizontalpodautoscaler": "scoring"},
    ),
    (
        "RunsWaitLong",
        [('ml_assets_run_queue_time_seconds{model="fraud_detection"}', "4000")],
        10,
        {"model": "fraud_detection"},
    ),
    (
        "DagsterDown",
        [(f'{DEPLOYMENT}{{namespace="ml-assets", deployment="dagster-daemon"}}', "0x60")],
        15,
        {**NAMESPACE, "deployment": "dagster-daemon"},
    ),
    ("DagsterDown", [(f'{DEPLOYMENT}{{namespace="ml-assets", deployment="other"}}', "0x60")], 15, None),
    (
        "MlflowDown",
        [(f'{DEPLOYMENT}{{namespace="ml-assets", deployment="ml-assets-mlflow"}}', "0x60")],
        15,
        {**NAMESPACE, "deployment": "ml-assets-mlflow"},
    ),
    (
        "RunPodKilledForMemory",
        [
            (
                'kube_pod_container_status_terminated_reason{namespace="ml-assets", pod="run", container="dagster", '
                'reason="OOMKilled"}',
                "1x60",
            )
        ],
        1,
        {"pod": "run"},
    ),
    ("ServingNearMemoryLimit", [(f"container_memory_working_set_bytes{{{POD}}}", "95x60"), LIMIT], 20, OF_POD),
    ("ServingNearMemoryLimit", [(f"container_memory_working_set_bytes{{{POD}}}", "80x60"), LIMIT], 20, None),
    ("ServingKilledForMemory", [(RESTARTS, "0x5 1x60"), (OOM, "0x5 1x60")], 10, OF_POD),
    ("ServingKilledForMemory", [(RESTARTS, "0x5 1x60"), (OOM, "0x60")], 10, None),
    (
        "StepPodWaits",
        [('kube_pod_status_phase{namespace="ml-assets", pod="a", phase="Pending"}', "1x60")],
        40,
        {"pod": "a"},
    ),
    (
        "StepPodWaits",
        [('kube_pod_status_phase{namespace="ml-assets", pod="a", phase="Pending"}', "1x10 0x60")],
        40,
        None,
    ),
    (
        "QuotaNearlyUsed",
        [
            (f'kube_resourcequota{{{QUOTA}, type="used"}}', "95x60"),
            (f'kube_resourcequota{{{QUOTA}, type="hard"}}', "100x60"),
        ],
        20,
        OF_QUOTA,
    ),
    (
        "QuotaNearlyUsed",
        [
            (f'kube_resourcequota{{{QUOTA}, type="used"}}', "80x60"),
            (f'kube_resourcequota{{{QUOTA}, type="hard"}}', "100x60"),
        ],
        20,
        None,
    ),
]
# The time of promtool begins with 1970. A rule that is evaluated each minute of these days takes half a minute.
DAYS_LONG: list[tuple[str, list[tuple[str, str]], int, dict[str, str] | None]] = [
    ("ScoringHistoryOld", [(f"ml_assets_features_through_seconds{{{MODEL}}}", "1x200")], 4500, OF_MODEL),
    ("ScoringHistoryOld", [(f"ml_assets_features_through_seconds{{{MODEL}}}", "0x200")], 4500, None),
]


def expected(alert: str, labels: dict[str, str]) -> dict[str, Any]:
    """Return labels and annotations of an alert that fires, as promtool compares them."""
    rule = ALERTS[alert]
    annotations = {
        name: re.sub(r"{{ \$labels\.(\w+) }}", lambda match: labels[match[1]], text)
        for name, text in rule["annotations"].items()
    }
    return {"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": annotations}


@needs_promtool
@pytest.mark.parametrize(("interval", "cases"), [("1m", CASES), ("30m", DAYS_LONG)], ids=["minutes", "days"])
def test_alerts_fire_when_they_should_and_only_then(tmp_path, interval, cases):
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(RULES))
    tests = [
        {
            "interval": interval,
            "input_series": [{"series": series, "values": values} for series, values in input_series],
            "alert_rule_test": [
                {
                    "eval_time": f"{minute}m",
                    "alertname": alert,
                    "exp_alerts": [] if labels is None else [expected(alert, labels)],
                }
            ],
        }
        for alert, input_series, minute, labels in cases
    ]
    file = tmp_path / "tests.yaml"
    file.write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": interval, "tests": tests}))
    for command in (["check", "rules", "rules.yaml"], ["test", "rules", "tests.yaml"]):
        result = subprocess.run([str(PROMTOOL), *command], cwd=tmp_path, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr


def test_every_alert_has_a_case_in_which_it_fires():
    assert {alert for alert, _, _, labels in [*CASES, *DAYS_LONG] if labels is not None} == set(ALERTS)
