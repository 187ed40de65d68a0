"""Probes of Dagster's pods: they detect whether a port is open, and do not take the CPU from the process they probe."""

import json
import socket
import subprocess

import pytest
from dagster._cli.code_server import start_command

from ml_assets.resources.dagster_instance import code_server_health
from ml_assets_tests.helm.charts import PLACES, REPOSITORY, Manifest, dagster_values, pods, rendered
from ml_assets_tests.helm.dagster.dagster_chart import chart_pods

KINDS = ("startupProbe", "readinessProbe", "livenessProbe")
# Commands of Dagster: each probe starts a Python process, which takes seconds of CPU time.
SLOW = {"dagster", "dagster-daemon", "python"}


def probes(place: str) -> dict[tuple[str, str], Manifest]:
    """Return the probes of Dagster's pods by pod and kind."""
    containers_by_pod = {name: pod["spec"]["containers"][0] for name, pod in chart_pods(dagster_values(place)).items()}
    return {
        (name, kind): container[kind]
        for name, container in containers_by_pod.items()
        for kind in KINDS
        if kind in container
    }


@pytest.mark.parametrize("place", PLACES)
def test_probes_that_start_python_are_rare_and_all_have_enough_time(place):
    for (name, kind), probe in probes(place).items():
        assert probe["timeoutSeconds"] >= 10, (name, kind)
        if probe.get("exec", {}).get("command", [""])[0] in SLOW:
            assert probe["periodSeconds"] >= (30 if kind == "startupProbe" else 60), (name, kind)
            assert probe["timeoutSeconds"] >= 90, (name, kind)


@pytest.mark.parametrize("place", PLACES)
def test_pods_may_take_ten_minutes_to_start_and_webservers_five(place):
    for (name, kind), probe in probes(place).items():
        if kind == "startupProbe":
            assert probe["periodSeconds"] * probe["failureThreshold"] >= (
                300 if name.startswith("webserver") else 600
            ), name


@pytest.mark.parametrize("place", PLACES)
def test_a_code_server_has_started_only_when_its_port_is_open(place):
    command = probes(place)["ml-assets", "startupProbe"]["exec"]["command"]
    assert command[-1].endswith("/4000")
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        probe_command = [*command[:-1], command[-1].replace("/4000", f"/{port.getsockname()[1]}")]
        assert subprocess.run(probe_command, capture_output=True).returncode != 0
        port.listen()
        assert subprocess.run(probe_command, capture_output=True).returncode == 0


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["readinessProbe", "livenessProbe"])
def test_a_code_server_is_ready_and_alive_only_when_it_lists_its_repositories(place, kind):
    command = probes(place)["ml-assets", kind]["exec"]["command"]
    assert command == ["python", "-m", code_server_health.__name__, "4000"]


def test_the_child_of_a_code_server_outlives_a_busy_node():
    image = (REPOSITORY / "Dockerfile").read_text()
    commands = [line.removeprefix("CMD ") for line in image.splitlines() if line.startswith('CMD ["dagster"')]
    arguments = [json.loads(command) for command in commands]
    for place in PLACES:
        arguments += [
            server["codeServerArgs"] for server in dagster_values(place)["dagster-user-deployments"]["deployments"]
        ]
    assert len(arguments) == 4
    for argument in arguments:
        assert argument[-2:] == ["--heartbeat-ttl", "600"]
        parsed = start_command.make_context("start", argument[argument.index("-m") :]).params
        assert parsed["heartbeat_ttl"] == 600


@pytest.mark.parametrize("place", PLACES)
def test_services_have_ten_minutes_to_start_and_two_to_answer(place):
    for name, pod in pods(rendered(place)):
        container = pod["spec"]["containers"][0]
        start, liveness = container["startupProbe"], container["livenessProbe"]
        assert start["periodSeconds"] * start["failureThreshold"] >= 600, name
        assert liveness["periodSeconds"] * liveness["failureThreshold"] >= 120, name
        # Readiness too: where all pods are slow, a service without any refuses everybody.
        assert min(container[kind]["timeoutSeconds"] for kind in KINDS) >= 10, name
