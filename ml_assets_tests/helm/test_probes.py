"""Probes of Dagster's pods: they tell what is open from what is not, and do not take the processor from what they
ask.
"""

import socket
import subprocess

import pytest

from ml_assets_tests.helm.charts import PLACES, Manifest, dagster_values
from ml_assets_tests.helm.dagster.dagster_chart import chart_pods

KINDS = ("startupProbe", "readinessProbe", "livenessProbe")
# Programs of Dagster: each question starts a Python process, which takes seconds of a processor.
SLOW = {"dagster", "dagster-daemon"}


def probes(place: str) -> dict[tuple[str, str], Manifest]:
    """The probes of Dagster's pods by pod and kind."""
    found = {name: pod["spec"]["containers"][0] for name, pod in chart_pods(dagster_values(place)).items()}
    return {(name, kind): container[kind] for name, container in found.items() for kind in KINDS if kind in container}


@pytest.mark.parametrize("place", PLACES)
def test_what_starts_a_process_of_python_is_asked_seldom_and_all_have_time_to_answer(place):
    for (name, kind), probe in probes(place).items():
        assert probe["timeoutSeconds"] >= 10, (name, kind)
        if probe.get("exec", {}).get("command", [""])[0] in SLOW:
            assert probe["periodSeconds"] >= (30 if kind == "startupProbe" else 60), (name, kind)
            assert probe["timeoutSeconds"] >= 120, (name, kind)


@pytest.mark.parametrize("place", PLACES)
def test_each_may_take_ten_minutes_to_start_or_five_where_it_loads_no_definitions(place):
    for (name, kind), probe in probes(place).items():
        if kind == "startupProbe":
            assert probe["periodSeconds"] * probe["failureThreshold"] >= (
                300 if name.startswith("webserver") else 600
            ), name


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["startupProbe", "readinessProbe"])
def test_a_code_server_is_ready_when_its_port_is_open_and_not_before(place, kind):
    command = probes(place)["ml-assets", kind]["exec"]["command"]
    assert command[-1].endswith("/4000")
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        there = [*command[:-1], command[-1].replace("/4000", f"/{port.getsockname()[1]}")]
        assert subprocess.run(there, capture_output=True).returncode != 0
        port.listen()
        assert subprocess.run(there, capture_output=True).returncode == 0


@pytest.mark.parametrize("place", PLACES)
def test_a_code_server_that_takes_connections_and_answers_none_is_ended(place):
    assert probes(place)["ml-assets", "livenessProbe"]["exec"]["command"] == [
        "dagster",
        "api",
        "grpc-health-check",
        "-p",
        "4000",
    ]
