"""The Dockerfile, read by Docker's own parser."""

import re
import subprocess
import tomllib

import dockerfile
import pytest

from ml_assets.defs.variables import read_umask
from ml_assets_tests.helm.charts import PLACES, REPOSITORY, containers, dagster_values, of_kind, pods, rendered
from ml_assets_tests.helm.dagster.dagster_chart import chart_pods

COMMANDS = dockerfile.parse_file(str(REPOSITORY / "Dockerfile"))
STARTS = [number for number, command in enumerate(COMMANDS) if command.cmd.upper() == "FROM"]
BUILD, FINAL = COMMANDS[STARTS[0] : STARTS[1]], COMMANDS[STARTS[1] :]


def values_of(commands: list, name: str) -> list[tuple[str, ...]]:
    return [command.value for command in commands if command.cmd.upper() == name]


def environment() -> dict[str, str]:
    [pairs] = values_of(FINAL, "ENV")
    plain = [part for part in pairs if part != "="]
    return dict(zip(plain[::2], plain[1::2], strict=True))


def test_the_second_build_stage_only_copies_files():
    assert len(STARTS) == 2
    # Its RUN commands create a user and a directory: without a package manager no compiler is installed.
    assert not re.search(
        r"\b(pip|apt-get|apt|gcc|build-essential)\b", " ".join(" ".join(value) for value in values_of(FINAL, "RUN"))
    )
    sources = [command for command in FINAL if command.cmd.upper() == "COPY"]
    assert [command.flags for command in sources] == [("--from=build",)] * len(sources)


def test_every_installed_package_is_pinned_and_a_wheel():
    installs = [
        line for value in values_of(BUILD, "RUN") for line in " ".join(value).split("&&") if " install " in line
    ]
    assert installs
    for install in installs:
        assert "--constraint constraints.txt" in install
        assert "--only-binary :all:" in install or "--no-deps" in install


def test_every_dependency_has_a_version_in_the_constraints():
    pinned = {
        line.split("==")[0].lower().replace("_", "-") for line in (REPOSITORY / "constraints.txt").read_text().split()
    }
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    for name in project["dependencies"]:
        assert re.split(r"[\[<>=]", name)[0].lower().replace("_", "-") in pinned


def test_the_image_is_for_cpus_unless_gpus_are_requested():
    assert ("GPU=0",) in values_of(BUILD, "ARG")
    [swap] = [" ".join(value) for value in values_of(BUILD, "RUN") if "GPU" in " ".join(value)]
    assert swap.startswith('test "$GPU" = 1 ||')
    assert "uninstall --yes nvidia-nccl-cu12" in swap
    # The removed package is one that would be installed.
    assert "nvidia-nccl-cu12==" in (REPOSITORY / "constraints.txt").read_text()


def test_the_image_runs_as_the_numeric_user_of_the_pods_and_not_as_root():
    [(uid,)] = [value for value in values_of(FINAL, "ARG") if value[0].startswith("UID=")]
    assert values_of(FINAL, "USER") == [("${UID}:${UID}",)]
    number = int(uid.removeprefix("UID="))
    assert number > 0
    for place in PLACES:
        for pod in [
            *chart_pods(dagster_values(place)).values(),
            *[deployment["spec"]["template"] for deployment in of_kind(rendered(place), "Deployment")],
        ]:
            assert pod["spec"]["securityContext"]["runAsUser"] == number


def test_the_image_writes_only_to_tmp():
    variables = environment()
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"
    assert variables["HOME"] == "/tmp"
    assert variables["MPLCONFIGDIR"].startswith("/tmp/")
    assert any("compileall" in " ".join(value) for value in values_of(BUILD, "RUN"))
    assert values_of(FINAL, "VOLUME") == []


def test_pods_share_new_files_with_the_group_of_their_volumes_and_nobody_else():
    assert read_umask(environment()) == 0o007
    groups = {pod["spec"]["securityContext"]["fsGroup"] for _, pod in pods(rendered("laptop"))}
    assert groups == {10001}


def test_the_lookup_with_which_pods_wait_resolves_known_names_and_fails_for_others(tmp_path):
    [script] = ["".join(value) for value in values_of(FINAL, "RUN") if "nslookup" in "".join(value)]
    program = tmp_path / "nslookup"
    subprocess.run(["sh", "-c", script.replace("/usr/local/bin/nslookup", str(program))], check=True)
    assert subprocess.run([program, "localhost"], capture_output=True).returncode == 0
    assert subprocess.run([program, "nowhere.invalid"], capture_output=True).returncode != 0
    waits = [
        container
        for pod in chart_pods(dagster_values("laptop")).values()
        for container in containers(pod)
        if container["name"].startswith("init-user-deployment")
    ]
    assert waits
    assert all("until nslookup ml-assets;" in " ".join(container["command"]) for container in waits)


@pytest.mark.parametrize("place", PLACES)
def test_the_image_runs_the_code_server_as_the_chart_does(place):
    [command] = values_of(FINAL, "CMD")
    [deployment] = dagster_values(place)["dagster-user-deployments"]["deployments"]
    pod = chart_pods(dagster_values(place))[deployment["name"]]
    [container] = containers(pod)
    assert list(command) == container["args"]
    assert values_of(FINAL, "EXPOSE") == [(str(deployment["port"]),)]
    [health] = values_of(FINAL, "HEALTHCHECK")
    assert (
        list(health)[-len(container["livenessProbe"]["exec"]["command"]) :]
        == container["livenessProbe"]["exec"]["command"]
    )


def test_the_build_context_contains_only_copied_files():
    ignored = [
        line for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert ignored[0] == "*"
    allowed = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {source for value in values_of(BUILD, "COPY") for source in value[:-1]}
    assert copied == allowed
    for name in copied:
        assert (REPOSITORY / name).exists()
