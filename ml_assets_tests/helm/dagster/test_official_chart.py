"""The pods, services and ingress of the official Dagster chart with our values, if DAGSTER_CHART names the chart."""

import re
import shlex
from typing import Any

import click
import pytest
from dagster._cli import create_dagster_cli
from dagster._daemon.cli import create_dagster_daemon_cli
from dagster_webserver.cli import create_dagster_webserver_cli

from ml_assets_tests.helm.charts import (
    HELM,
    PLACES,
    REPOSITORY,
    Manifest,
    containers,
    dagster_values,
    of_kind,
    pods,
    rendered,
    validate,
)
from ml_assets_tests.helm.dagster.dagster_chart import chart_pods
from ml_assets_tests.helm.dagster.official_chart import if_chart_is_available, official
from ml_assets_tests.helm.pod_security import violations
from ml_assets_tests.helm.test_network import MIGRATE, matches, policies

PROGRAMS = {
    "dagster": create_dagster_cli(),
    "dagster-daemon": create_dagster_daemon_cli(),
    "dagster-webserver": create_dagster_webserver_cli(),
}


def names(manifests: list[Manifest], kind: str) -> set[str]:
    return {manifest["metadata"]["name"] for manifest in of_kind(manifests, kind)}


def missing(expected: Any, actual: Any, path: str = "") -> list[str]:
    """List the paths of expected values that are missing; other keys and other entries of lists are allowed."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            missing_path
            for name, value in expected.items()
            for missing_path in missing(value, actual.get(name), f"{path}.{name}")
        ]
    if isinstance(expected, list) and isinstance(actual, list):
        return [
            f"{path}[{number}]"
            for number, item in enumerate(expected)
            if not any(missing(item, candidate) == [] for candidate in actual)
        ]
    return [] if expected == actual else [path]


def unknown_options(command: str) -> list[str]:
    """List the options of a command line that the program does not have."""
    name, *words = shlex.split(command)
    program: click.Command = PROGRAMS[name]
    while isinstance(program, click.Group):
        program = program.commands[words.pop(0)]
    known = {option for parameter in program.params for option in parameter.opts}
    return [word for word in words if word.startswith("-") and word not in known]


@if_chart_is_available
@pytest.mark.parametrize("place", PLACES)
def test_its_manifests_are_valid_and_contain_no_roles_and_no_secrets(place):
    kinds = {"ConfigMap", "Deployment", "Service", "Job"} | ({"Ingress"} if place == "production" else set())
    assert {manifest["kind"] for manifest in official(place)} == kinds
    for manifest in official(place):
        for version in ("1.25", "1.37"):
            validate(manifest, version)


@if_chart_is_available
@pytest.mark.parametrize("place", PLACES)
def test_its_pods_are_restricted_have_limits_and_write_only_to_their_volumes(place):
    pods_by_name = dict(pods(official(place)))
    assert len(pods_by_name) == 5
    for name, pod in pods_by_name.items():
        assert violations(pod) == [], name
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        for container in containers(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert (
                set(container["resources"]["requests"]) == set(container["resources"]["limits"]) == {"cpu", "memory"}
            ), container["name"]
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes


@if_chart_is_available
@pytest.mark.parametrize("place", PLACES)
def test_its_pods_contain_those_of_the_model_of_the_chart(place):
    official_pods = dict(pods(official(place)))
    for name, pod in chart_pods(dagster_values(place)).items():
        [real] = [
            official_pods[full]
            for full in (f"dagster-{name}", f"dagster-dagster-{name}", f"dagster-dagster-user-deployments-{name}")
            if full in official_pods
        ]
        assert missing(pod, real) == [], name
        assert [container["name"] for container in containers(pod)] == [
            container["name"] for container in containers(real)
        ]


@if_chart_is_available
@pytest.mark.parametrize("place", PLACES)
def test_its_commands_use_options_that_exist(place):
    lines = []
    for _, pod in pods(official(place)):
        for container in pod["spec"]["containers"]:
            words = [*container.get("command", []), *container.get("args", [])]
            lines.append(words[2] if words[:2] == ["/bin/bash", "-c"] else shlex.join(words))
            probe_commands = [
                container[probe]["exec"]["command"]
                for probe in ("startupProbe", "livenessProbe")
                if "exec" in container.get(probe, {})
            ]
            lines += [shlex.join(command) for command in probe_commands if command[0] != "bash"]
    assert len(lines) == 8
    assert [option for line in lines for option in unknown_options(line)] == []


@if_chart_is_available
@pytest.mark.parametrize("place", PLACES)
def test_each_of_its_pods_has_a_network_policy_and_refers_to_resources_that_exist(place):
    own = [entry for entry in policies(place) if entry["spec"]["podSelector"]]
    assert names(official(place), "Job") == {MIGRATE}
    config_maps = names(official(place), "ConfigMap") | names(rendered(place), "ConfigMap")
    documented = (HELM / "README.md").read_text()
    for name, pod in pods(official(place)):
        labels = {**pod["metadata"].get("labels", {}), **({"job-name": name} if name == MIGRATE else {})}
        assert len([entry for entry in own if matches(entry["spec"]["podSelector"], labels)]) == 1, name
        assert pod["spec"]["serviceAccountName"] in names(rendered(place), "ServiceAccount")
        assert {
            volume["configMap"]["name"] for volume in pod["spec"]["volumes"] if "configMap" in volume
        } <= config_maps
        sources = [source for container in containers(pod) for source in container.get("envFrom", [])]
        assert {source["configMapRef"]["name"] for source in sources if "configMapRef" in source} <= config_maps
        secrets = [source["secretRef"] for source in sources if "secretRef" in source]
        assert [
            entry["name"]
            for entry in secrets
            if not entry.get("optional") and f"| `{entry['name']}` |" not in documented
        ] == []


@if_chart_is_available
@pytest.mark.parametrize("place", PLACES)
def test_each_service_selects_one_deployment_and_the_ingress_leads_to_services(place):
    deployments, services = of_kind(official(place), "Deployment"), of_kind(official(place), "Service")
    ports = {}
    for service in services:
        [pod] = [
            candidate["spec"]["template"]
            for candidate in deployments
            if service["spec"]["selector"].items() <= candidate["spec"]["template"]["metadata"]["labels"].items()
        ]
        [port] = service["spec"]["ports"]
        [container] = pod["spec"]["containers"]
        # The chart states the port of a code server only in its arguments.
        assert (
            port["port"] in [candidate["containerPort"] for candidate in container.get("ports", [])]
            or str(port["port"]) in container["args"]
        )
        ports[service["metadata"]["name"]] = port["port"]
    for ingress in of_kind(official(place), "Ingress"):
        paths = [path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
        assert len(paths) == 2
        for path in paths:
            # A prefix must not have a wildcard, because the AWS controller then creates no load balancer.
            assert (path["pathType"], path["path"]) == ("Prefix", "/")
            assert ports[path["backend"]["service"]["name"]] == path["backend"]["service"]["port"]["number"]


def test_the_installed_chart_has_the_version_of_dagster_in_the_image():
    [pinned] = re.findall(r"^dagster==(\S+)$", (REPOSITORY / "constraints.txt").read_text(), re.MULTILINE)
    for name, times in (("README.md", 3), ("values.yaml", 1)):
        assert re.findall(r"dagster/dagster (.*?) -", (HELM / name).read_text()) == [f"--version {pinned}"] * times


def test_missing_values_are_listed_by_path():
    pod = {"metadata": {"labels": {"part": "daemon"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    assert missing(pod, {**pod, "more": True}) == []
    assert missing(pod, {**pod, "metadata": {"labels": {"part": "webserver"}}}) == [".metadata.labels.part"]
    assert missing(pod, {**pod, "spec": {"containers": [{"name": "a", "image": "c"}]}}) == [".spec.containers[0]"]


def test_unknown_options_of_a_command_are_listed():
    assert unknown_options("dagster-webserver -h 0.0.0.0 --read-only --colour red") == ["--colour"]
    assert unknown_options("dagster-daemon run -w workspace.yaml --log-format json --colour red") == ["--colour"]
