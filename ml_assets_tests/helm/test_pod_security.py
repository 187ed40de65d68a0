"""Every pod of the charts meets the restricted pod-security standard, and has requests, limits and probes."""

import copy
import re

import pytest

from ml_assets_tests.helm.charts import LAPTOP, PLACES, containers, dagster_values, of_kind, pods, rendered
from ml_assets_tests.helm.dagster.dagster_chart import chart_pods
from ml_assets_tests.helm.pod_security import violations

OURS = [(f"{place}-{name}", pod) for place in PLACES for name, pod in pods(rendered(place))]
DAGSTERS = [(f"{place}-{name}", pod) for place in PLACES for name, pod in chart_pods(dagster_values(place)).items()]
BESIDE = list(pods(LAPTOP))
EVERY_POD = [pytest.param(pod, id=name) for name, pod in [*OURS, *DAGSTERS, *BESIDE]]


@pytest.mark.parametrize("pod", EVERY_POD)
def test_every_pod_is_accepted_under_the_restricted_standard(pod):
    assert violations(pod) == []


@pytest.mark.parametrize("pod", EVERY_POD)
def test_root_file_systems_are_read_only_and_containers_have_a_volume_for_temporary_files(pod):
    temporary = {volume["name"] for volume in pod["spec"]["volumes"] if "emptyDir" in volume}
    for container in containers(pod):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        # The container that waits for the code server is a shell loop, which writes nothing.
        if not container["name"].startswith("init-user-deployment"):
            assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]
            assert "tmp" in temporary


@pytest.mark.parametrize("pod", EVERY_POD)
def test_no_command_line_has_a_secret(pod):
    """Tools that record the processes of a node record their arguments, after a shell or Kubernetes expanded them."""
    for container in containers(pod):
        line = " ".join([*container.get("command", []), *container.get("args", [])])
        for variable in container.get("env", []):
            if "secretKeyRef" in variable.get("valueFrom", {}):
                assert not re.search(rf"\$[({{]?{variable['name']}\b", line)


@pytest.mark.parametrize("pod", EVERY_POD)
def test_every_container_has_requests_and_limits(pod):
    for container in containers(pod):
        assert set(container["resources"]["requests"]) == set(container["resources"]["limits"]) == {"cpu", "memory"}, (
            container["name"]
        )


@pytest.mark.parametrize("pod", EVERY_POD)
def test_every_image_has_a_fixed_tag(pod):
    for container in containers(pod):
        name, _, tag = container["image"].rpartition(":")
        assert name, container["image"]
        assert tag not in ("", "latest")


@pytest.mark.parametrize("pod", [parameter for parameter in EVERY_POD if parameter.id not in ("landing",)])
def test_every_serving_container_is_probed(pod):
    for container in pod["spec"]["containers"]:
        assert "readinessProbe" in container or "livenessProbe" in container


@pytest.mark.parametrize("pod", [pytest.param(pod, id=name) for name, pod in OURS])
def test_our_pods_have_no_service_account_token(pod):
    assert pod["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        (lambda pod: pod["spec"].update(hostNetwork=True), "hostNetwork is true"),
        (
            lambda pod: pod["spec"]["volumes"].append({"name": "disk", "hostPath": {"path": "/"}}),
            "volume disk is hostPath",
        ),
        (
            lambda pod: pod["spec"]["securityContext"].update(sysctls=[{"name": "kernel.msgmax", "value": "1"}]),
            "sysctl kernel.msgmax",
        ),
        (lambda pod: pod["spec"]["containers"][0]["securityContext"].update(privileged=True), "mlflow: privileged"),
        (
            lambda pod: pod["spec"]["containers"][0]["securityContext"].pop("allowPrivilegeEscalation"),
            "mlflow: allowPrivilegeEscalation is not false",
        ),
        (
            lambda pod: pod["spec"]["containers"][0]["securityContext"].pop("capabilities"),
            "mlflow: capabilities are not dropped",
        ),
        (
            lambda pod: pod["spec"]["containers"][0]["securityContext"]["capabilities"].update(add=["NET_RAW"]),
            "mlflow: adds capability NET_RAW",
        ),
        (
            lambda pod: pod["spec"]["containers"][0]["securityContext"].update(runAsNonRoot=False),
            "mlflow: runAsNonRoot is not true",
        ),
        (lambda pod: pod["spec"]["securityContext"].update(runAsUser=0), "database: runAsUser is 0"),
        (
            lambda pod: pod["spec"]["containers"][0]["securityContext"].update(seccompProfile={"type": "Unconfined"}),
            "mlflow: seccompProfile is not RuntimeDefault",
        ),
        (lambda pod: pod["spec"]["containers"][0]["securityContext"].update(procMount="Unmasked"), "mlflow: procMount"),
        (lambda pod: pod["spec"]["containers"][0]["ports"][0].update(hostPort=5000), "mlflow: host port 5000"),
    ],
)
def test_each_violation_of_the_standard_is_reported(change, violation):
    [pod] = [
        copy.deepcopy(pod)
        for name, pod in pods(of_kind(rendered("laptop"), "Deployment"))
        if name == "ml-assets-mlflow"
    ]
    assert violations(pod) == []
    change(pod)
    assert violation in violations(pod)
