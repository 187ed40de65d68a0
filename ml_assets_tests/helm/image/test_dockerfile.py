"""The Dockerfile, read by Docker's own parser."""

import getpass
import pwd
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
# The commands of each stage by its name; the image of all parts is the last stage, and has none.
STAGES = {
    COMMANDS[start].value[-1] if len(COMMANDS[start].value) > 1 else "": COMMANDS[start:end]
    for start, end in zip(STARTS, [*STARTS[1:], len(COMMANDS)], strict=True)
}
BUILD, RUNTIME, FINAL = STAGES["build"], STAGES["runtime"], STAGES[""]
IMAGES = ("serving", "step", "")


def values_of(commands: list, name: str) -> list[tuple[str, ...]]:
    return [command.value for command in commands if command.cmd.upper() == name]


def environment() -> dict[str, str]:
    [pairs] = values_of(RUNTIME, "ENV")
    plain = [part for part in pairs if part != "="]
    return dict(zip(plain[::2], plain[1::2], strict=True))


@pytest.mark.parametrize("image", IMAGES)
def test_the_stage_of_an_image_only_copies_an_environment(image):
    [(base,)] = [value[:1] for value in values_of(STAGES[image], "FROM")]
    assert base == "runtime"
    # Without a package manager no compiler is installed.
    assert values_of(STAGES[image], "RUN") == []
    source = f"build-{image}" if image else "build"
    sources = [command for command in STAGES[image] if command.cmd.upper() == "COPY"]
    assert [command.flags for command in sources] == [(f"--from={source}",)] * 2


def test_no_image_has_pip_programs_of_another_user_or_caches():
    text = " ".join(" ".join(value) for value in values_of(RUNTIME, "RUN"))
    assert "--without-pip" in " ".join(" ".join(value) for value in values_of(BUILD, "RUN"))
    for removed in ("ensurepip", "site-packages/*", "/usr/local/bin/pip*", "/var/lib/apt/lists/*", "chmod a-s"):
        assert removed in text
    assert not re.search(r"\b(apt-get|apt install|gcc|build-essential)\b", text)


def test_every_installed_package_is_pinned_and_a_wheel():
    installs = [
        line
        for stage in STAGES.values()
        for value in values_of(stage, "RUN")
        for line in " ".join(value).split("&&")
        if " install " in line
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
    [(uid,)] = [value for value in values_of(RUNTIME, "ARG") if value[0].startswith("UID=")]
    assert values_of(RUNTIME, "USER") == [("${UID}:${UID}",)]
    number = int(uid.removeprefix("UID="))
    assert number > 0
    for place in PLACES:
        for pod in [
            *chart_pods(dagster_values(place)).values(),
            *[deployment["spec"]["template"] for deployment in of_kind(rendered(place), "Deployment")],
        ]:
            assert pod["spec"]["securityContext"]["runAsUser"] == number


def test_a_user_without_an_entry_in_passwd_has_a_name(monkeypatch):
    def no_entry(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment().items():
        if name != "PATH":
            monkeypatch.setenv(name, value)
    assert getpass.getuser() == "ml_assets"


def test_the_modes_of_the_checkout_do_not_keep_other_users_from_its_files():
    [copied] = [number for number, command in enumerate(BUILD) if "ml_assets" in command.value]
    [opened] = [number for number, command in enumerate(BUILD) if "chmod -R a+rX ." in " ".join(command.value)]
    assert copied < opened


def test_the_image_writes_only_to_tmp():
    variables = environment()
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"
    # Dagster refuses a home that does not exist, and nothing exists below /tmp when a container starts.
    assert variables["HOME"] == variables["DAGSTER_HOME"] == "/tmp"
    assert variables["MPLCONFIGDIR"].startswith("/tmp/")
    assert any("compileall" in " ".join(value) for value in values_of(BUILD, "RUN"))
    assert [volume for stage in STAGES.values() for volume in values_of(stage, "VOLUME")] == []


def test_pods_share_new_files_with_the_group_of_their_volumes_and_nobody_else():
    assert read_umask(environment()) == 0o007
    groups = {pod["spec"]["securityContext"]["fsGroup"] for _, pod in pods(rendered("laptop"))}
    assert groups == {10001}


def test_the_lookup_with_which_pods_wait_resolves_known_names_and_fails_for_others(tmp_path):
    [script] = [
        part
        for value in values_of(RUNTIME, "RUN")
        for part in "".join(value).split("&&")
        if "nslookup" in part and "printf" in part
    ]
    program = tmp_path / "nslookup"
    subprocess.run(["sh", "-c", script.replace("/usr/local/bin/nslookup", str(program))], check=True)
    program.chmod(0o755)
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
    assert list(health) == ["CMD", *container["readinessProbe"]["exec"]["command"]]


def test_the_image_of_steps_starts_as_that_of_all_parts():
    for name in ("CMD", "HEALTHCHECK", "EXPOSE"):
        assert values_of(STAGES["step"], name) == values_of(FINAL, name)


def test_the_image_of_the_service_needs_the_name_of_a_model():
    assert values_of(STAGES["serving"], "ENTRYPOINT") == [("ml-assets", "serve")]


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
