"""The pods, services and ingress that the official Dagster chart makes of our values, where DAGSTER_CHART says where it
is.
"""

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
from ml_assets_tests.helm.dagster.official_chart import official, where_it_is_at_hand
from ml_assets_tests.helm.pod_security import violations
from ml_assets_tests.helm.test_network import MIGRATE, matches, policies

PROGRAMS = {
    "dagster": create_dagster_cli(),
    "dagster-daemon": create_dagster_daemon_cli(),
    "dagster-webserver": create_dagster_webserver_cli(),
}


def names(manifests: list[Manifest], kind: str) -> set[str]:
    return {one["metadata"]["name"] for one in of_kind(manifests, kind)}


def missing(expected: Any, found: Any, path: str = "") -> list[str]:
    """Where what is expected is not there. There may be more: other keys, other entries of lists."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [what for name, value in expected.items() for what in missing(value, found.get(name), f"{path}.{name}")]
    if isinstance(expected, list) and isinstance(found, list):
        return [
            f"{path}[{number}]"
            for number, one in enumerate(expected)
            if not any(missing(one, other) == [] for other in found)
        ]
    return [] if expected == found else [path]


def unknown_options(command: str) -> list[str]:
    """The options of a command line that the program does not have."""
    name, *words = shlex.split(command)
    program: click.Command = PROGRAMS[name]
    while isinstance(program, click.Group):
        program = program.commands[words.pop(0)]
    known = {option for parameter in program.params for option in parameter.opts}
    return [word for word in words if word.startswith("-") and word not in known]


@where_it_is_at_hand
@pytest.mark.parametrize("place", PLACES)
def test_it_makes_what_kubernetes_takes_and_gives_nobody_a_right_or_a_secret(place):
    kinds = {"ConfigMap", "Deployment", "Service", "Job"} | ({"Ingress"} if place == "production" else set())
    assert {one["kind"] for one in official(place)} == kinds
    for manifest in official(place):
        for version in ("1.25", "1.37"):
            validate(manifest, version)


@where_it_is_at_hand
@pytest.mark.parametrize("place", PLACES)
def test_all_its_pods_are_restricted_and_limited_and_cannot_write_but_to_their_volumes(place):
    found = dict(pods(official(place)))
    assert len(found) == 5
    for name, pod in found.items():
        assert violations(pod) == [], name
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        for container in containers(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert (
                set(container["resources"]["requests"]) == set(container["resources"]["limits"]) == {"cpu", "memory"}
            ), container["name"]
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes


@where_it_is_at_hand
@pytest.mark.parametrize("place", PLACES)
def test_its_pods_are_those_that_the_suite_makes_of_the_values(place):
    found = dict(pods(official(place)))
    for name, pod in chart_pods(dagster_values(place)).items():
        [real] = [
            found[full]
            for full in (f"dagster-{name}", f"dagster-dagster-{name}", f"dagster-dagster-user-deployments-{name}")
            if full in found
        ]
        assert missing(pod, real) == [], name
        assert [one["name"] for one in containers(pod)] == [one["name"] for one in containers(real)]


@where_it_is_at_hand
@pytest.mark.parametrize("place", PLACES)
def test_its_programs_have_the_options_that_it_gives_them(place):
    lines = []
    for _, pod in pods(official(place)):
        for container in pod["spec"]["containers"]:
            words = [*container.get("command", []), *container.get("args", [])]
            lines.append(words[2] if words[:2] == ["/bin/bash", "-c"] else shlex.join(words))
            asked = [
                container[probe]["exec"]["command"]
                for probe in ("startupProbe", "livenessProbe")
                if "exec" in container.get(probe, {})
            ]
            lines += [shlex.join(command) for command in asked if command[0] != "bash"]
    assert len(lines) == 8
    assert [option for line in lines for option in unknown_options(line)] == []


@where_it_is_at_hand
@pytest.mark.parametrize("place", PLACES)
def test_each_of_its_pods_has_a_network_policy_and_all_that_it_names_is_there(place):
    own = [one for one in policies(place) if one["spec"]["podSelector"]]
    assert names(official(place), "Job") == {MIGRATE}
    given = names(official(place), "ConfigMap") | names(rendered(place), "ConfigMap")
    documented = (HELM / "README.md").read_text()
    for name, pod in pods(official(place)):
        labels = {**pod["metadata"].get("labels", {}), **({"job-name": name} if name == MIGRATE else {})}
        assert len([one for one in own if matches(one["spec"]["podSelector"], labels)]) == 1, name
        assert pod["spec"]["serviceAccountName"] in names(rendered(place), "ServiceAccount")
        assert {volume["configMap"]["name"] for volume in pod["spec"]["volumes"] if "configMap" in volume} <= given
        sources = [source for container in containers(pod) for source in container.get("envFrom", [])]
        assert {source["configMapRef"]["name"] for source in sources if "configMapRef" in source} <= given
        secrets = [source["secretRef"] for source in sources if "secretRef" in source]
        assert [
            one["name"] for one in secrets if not one.get("optional") and f"| `{one['name']}` |" not in documented
        ] == []


@where_it_is_at_hand
@pytest.mark.parametrize("place", PLACES)
def test_its_services_lead_to_one_deployment_each_and_the_ingress_to_services(place):
    deployments, services = of_kind(official(place), "Deployment"), of_kind(official(place), "Service")
    ports = {}
    for service in services:
        [pod] = [
            one["spec"]["template"]
            for one in deployments
            if service["spec"]["selector"].items() <= one["spec"]["template"]["metadata"]["labels"].items()
        ]
        [port] = service["spec"]["ports"]
        [container] = pod["spec"]["containers"]
        # The chart names no port of a code server but in its arguments.
        assert (
            port["port"] in [one["containerPort"] for one in container.get("ports", [])]
            or str(port["port"]) in container["args"]
        )
        ports[service["metadata"]["name"]] = port["port"]
    for ingress in of_kind(official(place), "Ingress"):
        paths = [path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
        assert len(paths) == 2
        for path in paths:
            # A prefix has no wildcard: the controller of AWS makes no load balancer of one that has.
            assert (path["pathType"], path["path"]) == ("Prefix", "/")
            assert ports[path["backend"]["service"]["name"]] == path["backend"]["service"]["port"]["number"]


def test_the_chart_that_is_installed_has_the_version_of_dagster_that_is_in_the_image():
    [pinned] = re.findall(r"^dagster==(\S+)$", (REPOSITORY / "constraints.txt").read_text(), re.MULTILINE)
    for name, times in (("README.md", 3), ("values.yaml", 1)):
        assert re.findall(r"dagster/dagster (.*?) -", (HELM / name).read_text()) == [f"--version {pinned}"] * times


def test_what_is_not_there_is_found():
    pod = {"metadata": {"labels": {"part": "daemon"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    assert missing(pod, {**pod, "more": True}) == []
    assert missing(pod, {**pod, "metadata": {"labels": {"part": "webserver"}}}) == [".metadata.labels.part"]
    assert missing(pod, {**pod, "spec": {"containers": [{"name": "a", "image": "c"}]}}) == [".spec.containers[0]"]


def test_an_option_that_a_program_does_not_have_is_found():
    assert unknown_options("dagster-webserver -h 0.0.0.0 --read-only --colour red") == ["--colour"]
    assert unknown_options("dagster-daemon run -w workspace.yaml --log-format json --colour red") == ["--colour"]
