"""Monitoring: resources of the Prometheus operator, and alerts and a dashboard on metrics that exist."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import promql_parser
import pytest

from ml_assets.core.operations.step_metrics import METRICS as METRICS_OF_STEPS
from ml_assets_tests.helm.charts import CHART, REPOSITORY, of_kind, our_values, pods, render, rendered
from ml_assets_tests.helm.prometheus_operator import RULES, SERVICE_MONITOR

MANIFESTS = render(our_values("production"))
METRICS = REPOSITORY / "ml_assets" / "service" / "metrics.py"
SUFFIXES = {
    "counter": ["_total"],
    "histogram": ["_bucket", "_sum", "_count"],
    "gauge": [""],
    "Summary": ["_sum", "_count"],
}
# Metrics of kube-state-metrics 2 with their labels:
# https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics
KUBE_STATE = {
    # From the kubelet, as is the working set.
    "container_memory_working_set_bytes": {"namespace", "pod", "container"},
    "kube_deployment_status_replicas_available": {"namespace", "deployment"},
    "kube_horizontalpodautoscaler_status_current_replicas": {"namespace", "horizontalpodautoscaler"},
    "kube_horizontalpodautoscaler_spec_max_replicas": {"namespace", "horizontalpodautoscaler"},
    "kube_pod_container_resource_requests": {"namespace", "pod", "container", "resource", "unit", "node"},
    "kube_pod_container_resource_limits": {"namespace", "pod", "container", "resource", "unit", "node"},
    "kube_pod_container_status_last_terminated_reason": {"namespace", "pod", "container", "reason"},
    "kube_pod_container_status_restarts_total": {"namespace", "pod", "container"},
    "kube_pod_container_status_terminated_reason": {"namespace", "pod", "container", "reason"},
    "kube_pod_status_phase": {"namespace", "pod", "phase"},
    "kube_resourcequota": {"namespace", "resourcequota", "resource", "type"},
}
# Labels that Prometheus adds when it scrapes by the ServiceMonitor.
ADDED = {"ml_assets_model", "namespace", "pod", "le"}


def exported() -> dict[str, set[str]]:
    """Read the metrics of the scoring service from its source, with their labels, as Prometheus names them."""
    metrics = {}
    for node in ast.walk(ast.parse(METRICS.read_text())):
        items = node.elts if isinstance(node, ast.Tuple) else node.args if isinstance(node, ast.Call) else []
        first = items[0] if items else None
        if not isinstance(first, ast.Constant):
            continue
        # Gauges without labels are created in a loop over tuples of name, description and function.
        if isinstance(node, ast.Tuple) and str(first.value).startswith("ml_assets_"):
            metrics[str(first.value)] = ADDED
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SUFFIXES:
            labels = next((ast.literal_eval(item) for item in items if isinstance(item, ast.List)), [])
            for suffix in SUFFIXES[node.func.id]:
                metrics[f"{first.value}{suffix}"] = {*labels, *ADDED}
    return metrics


# Suffixes by which Prometheus adds the unit of OpenTelemetry to a name that does not end with it.
UNITS = {"s": "_seconds", "By": "_bytes"}


def pushed() -> dict[str, set[str]]:
    """List the metrics that steps push with their labels, as Prometheus names them."""
    names = {name: name.replace(".", "_") for name in METRICS_OF_STEPS}
    ends = {name: UNITS.get(unit, "") for name, (unit, _) in METRICS_OF_STEPS.items()}
    labels = {"model", "stage", "outcome", "cause", "another_follows", "gate", "metric", "job"}
    return {f"{named.removesuffix(ends[name])}{ends[name]}": labels for name, named in names.items()}


KNOWN = {**exported(), **KUBE_STATE, **pushed()}


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Return the metrics of an expression, each with the labels by which it selects.

    Raises:
        ValueError: when Prometheus could not parse the expression.
    """
    metrics_and_labels = []

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            metrics_and_labels.append((node.name, {matcher.name for matcher in node.matchers.matchers}))
        for part in ("lhs", "rhs", "expr", "vs", "vector_selector"):
            inner = getattr(node, part, None)
            if inner is not None and not callable(inner):
                visit(inner)
        for argument in getattr(node, "args", None) or []:
            visit(argument)

    visit(promql_parser.parse(expression))
    return iter(metrics_and_labels)


def grouped(expression: str) -> set[str]:
    return {label.strip() for labels in re.findall(r"\bby \(([^)]*)\)", expression) for label in labels.split(",")}


def alerts() -> list[dict[str, Any]]:
    [rule] = of_kind(MANIFESTS, "PrometheusRule")
    return [alert for group in rule["spec"]["groups"] for alert in group["rules"]]


def dashboard() -> dict[str, Any]:
    return json.loads((CHART / "dashboards" / "ml_assets.json").read_text())


def expressions() -> list[tuple[str, str]]:
    """List the expressions of alerts and panels with their titles, with values for the variables of Grafana."""
    panels = [
        (
            panel["title"],
            target["expr"]
            .replace("$__rate_interval", "5m")
            .replace("$model", "fraud_detection")
            .replace("$namespace", "ml-assets"),
        )
        for panel in dashboard()["panels"]
        for target in panel.get("targets", [])
    ]
    return [(alert["alert"], alert["expr"]) for alert in alerts()] + panels


def test_the_resources_of_the_operator_follow_its_documentation():
    [monitor], [rule] = of_kind(MANIFESTS, "ServiceMonitor"), of_kind(MANIFESTS, "PrometheusRule")
    assert monitor["apiVersion"] == rule["apiVersion"] == "monitoring.coreos.com/v1"
    jsonschema.validate(monitor["spec"], SERVICE_MONITOR)
    jsonschema.validate(rule["spec"], RULES)
    assert monitor["metadata"]["labels"]["release"] == "prometheus"


def test_the_service_monitor_selects_the_service_its_port_and_the_model_label():
    [monitor] = of_kind(MANIFESTS, "ServiceMonitor")
    services = [
        service
        for service in of_kind(MANIFESTS, "Service")
        if monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    ]
    assert services
    for service in services:
        [endpoint] = monitor["spec"]["endpoints"]
        assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
        assert set(monitor["spec"]["targetLabels"]) <= set(service["metadata"]["labels"])
        # Prometheus replaces characters that a label must not contain by _.
        assert {re.sub(r"\W", "_", label) for label in monitor["spec"]["targetLabels"]} <= ADDED


def test_without_the_operator_none_of_its_resources_are_created():
    assert of_kind(rendered("laptop"), "ServiceMonitor") + of_kind(rendered("laptop"), "PrometheusRule") == []


@pytest.mark.parametrize(("name", "expression"), expressions())
def test_expressions_use_metrics_and_labels_that_exist(name, expression):
    selected = list(selectors(expression))
    assert selected, name
    for metric, labels in selected:
        assert metric in KNOWN, metric
        assert labels <= KNOWN[metric], (metric, labels)
    every_label = set().union(*[KNOWN[metric] for metric, _ in selected])
    assert grouped(expression) <= every_label


@pytest.mark.parametrize(
    "expression", ["sum(rate(ml_assets_requests_total[5m])", "ml_assets_ready{side=}", "rate(ml_assets_ready)"]
)
def test_an_expression_that_prometheus_cannot_parse_is_refused(expression):
    with pytest.raises(ValueError, match=r".+"):
        list(selectors(expression))


def test_a_metric_that_is_not_exported_is_detected():
    assert [metric for metric, _ in selectors("rate(ml_assets_request_total[5m])") if metric not in KNOWN] == [
        "ml_assets_request_total"
    ]


def test_alerts_have_unique_names_and_refer_to_deployments_that_exist():
    names = [alert["alert"] for alert in alerts()]
    assert len(names) == len(set(names))
    [mlflow] = [alert for alert in alerts() if alert["alert"] == "MlflowDown"]
    assert re.findall(r'deployment="([^"]+)"', mlflow["expr"]) == [
        name for name, _ in pods(MANIFESTS) if "mlflow" in name
    ]
    [dagster] = [alert for alert in alerts() if alert["alert"] == "DagsterDown"]
    [pattern] = re.findall(r'deployment=~"([^"]+)"', dagster["expr"])
    for deployment in ("dagster-daemon", "dagster-dagster-webserver", "dagster-dagster-user-deployments-ml-assets"):
        assert re.fullmatch(pattern, deployment)


def test_a_model_that_no_pod_serves_is_named_by_the_alert():
    manifests = render(our_values("production", scoring={"models": ["fraud_detection", "pump_failures"]}))
    [rule] = of_kind(manifests, "PrometheusRule")
    [alert] = [alert for alert in rule["spec"]["groups"][0]["rules"] if alert["alert"] == "ScoringRefusesToScore"]
    for model in ("fraud_detection", "pump_failures"):
        # absent() has the labels of the equalities in its selector.
        assert f'absent(ml_assets_ready{{ml_assets_model="{model}", namespace="ml-assets"}})' in alert["expr"]
    assert list(selectors(alert["expr"]))
    assert "{{ $labels.ml_assets_model }}" in alert["annotations"]["summary"]


def test_alerts_on_pods_see_those_of_their_namespace_only():
    for alert in alerts():
        for metric, labels in selectors(alert["expr"]):
            assert "namespace" in labels or metric in pushed(), alert["alert"]


def test_without_an_mlflow_or_a_model_there_is_no_alert_about_it():
    elsewhere = {"enabled": False, "uri": "https://mlflow.example.com"}
    network = {"mlflow": {"peers": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]}}
    manifests = render(our_values("production", mlflow=elsewhere, network=network, scoring={"models": []}))
    [rule] = of_kind(manifests, "PrometheusRule")
    names = {alert["alert"] for alert in rule["spec"]["groups"][0]["rules"]}
    assert {alert["alert"] for alert in alerts()} - names == {"MlflowDown", "ScoringRefusesToScore"}


def test_each_alert_has_a_section_in_the_runbook():
    sections = re.findall(r"^### (\w+)$", (REPOSITORY / "helm" / "README.md").read_text(), re.MULTILINE)
    assert sections == [alert["alert"] for alert in alerts()]
    for alert in alerts():
        assert alert["annotations"]["runbook_url"].endswith(f"#{alert['alert'].lower()}")


def test_the_dashboard_has_unique_panels_and_defines_its_variables():
    board = dashboard()
    assert board["title"] == "ml_assets"
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    variables = {variable["name"] for variable in board["templating"]["list"]}
    for panel in panels:
        used = set(re.findall(r"\$\{?(\w+)", json.dumps(panel))) - {"__rate_interval"}
        assert used <= variables
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["type"] == "row" or panel["targets"]


def test_panels_do_not_overlap():
    taken = [
        (
            panel["id"],
            {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            },
        )
        for panel in dashboard()["panels"]
        for place in [panel["gridPos"]]
    ]
    for number, (panel, area) in enumerate(taken):
        for other, beside in taken[number + 1 :]:
            assert not area & beside, (panel, other)


def test_the_chart_contains_the_dashboard_unchanged():
    [config] = [
        manifest
        for manifest in of_kind(MANIFESTS, "ConfigMap")
        if manifest["metadata"]["name"] == "ml-assets-dashboard"
    ]
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(config["data"]["ml_assets.json"]) == dashboard()
