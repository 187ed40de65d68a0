"""The images that are really built: what they hold, and that a day runs in them as Kubernetes would run it."""

import stat
from collections.abc import Iterator

import pytest

from ml_assets_tests.helm.image.container import Container, build, why_none

REASON = why_none()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(REASON is not None, reason=str(REASON))]
# Megabytes on disk; the stand-in for the slim Python image has 260 of them.
LARGEST = {"all": 1700, "step": 1620, "serving": 1480}
PLACES = {
    "ML_ASSETS_ENV": "local",
    "ML_ASSETS_LANDING": "/tmp/landing",
    "ML_ASSETS_LAKE": "/tmp/lake",
    "ML_ASSETS_DEPLOY": "/tmp/deploy",
    "MLFLOW_TRACKING_URI": "sqlite:////tmp/mlflow.db",
}
SERVER = "dagster code-server start -h 127.0.0.1 -p 4000 -m ml_assets.definitions > /tmp/log 2>&1 &"
WAIT = "for i in $(seq 120); do bash -c 'exec 3<>/dev/tcp/127.0.0.1/4000' 2>/dev/null && break; sleep 1; done"
HEALTH = "python -m ml_assets.resources.dagster_instance.code_server_health 4000"


@pytest.fixture(scope="module", params=["all", "step", "serving"])
def container(request: pytest.FixtureRequest) -> Iterator[Container]:
    target = None if request.param == "all" else request.param
    container = Container(build(target))
    yield container
    container.remove()


@pytest.mark.parametrize("container", ["all", "step"], indirect=True)
def test_a_code_server_lists_its_repositories_with_a_read_only_root(container):
    result = container.run(f"id -u; {SERVER} {WAIT}; {HEALTH}", **PLACES)
    assert (result.returncode, result.stdout) == (0, "10001\n"), result.stderr


@pytest.mark.parametrize("container", ["all"], indirect=True)
def test_the_health_check_notices_a_home_that_cannot_be_written(container):
    result = container.run(f"{SERVER} {WAIT}; {HEALTH}", **PLACES, DAGSTER_HOME="/opt/ml_assets")
    assert result.returncode == 1
    assert "Read-only file system" in result.stderr


@pytest.mark.parametrize("container", ["all", "step"], indirect=True)
@pytest.mark.parametrize("user", [None, "1000990000:0"], ids=["user of the image", "user without an entry"])
def test_a_day_runs_as_an_unprivileged_user(container, user):
    result = container.run("ml-assets run fraud_detection", user, **PLACES)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    assert "uid not found" not in result.stdout + result.stderr


@pytest.mark.parametrize("container", ["serving"], indirect=True)
def test_the_image_of_the_service_loads_it(container):
    result = container.run("ml-assets serve --help && python -c 'import ml_assets.service.app, xgboost, deltalake'")
    assert result.returncode == 0, result.stderr


def test_nothing_can_be_installed_and_nothing_runs_as_another_user(container):
    assert container.run("python -m pip").returncode != 0
    privileged = [
        path
        for path in container.root.rglob("*")
        if not path.is_symlink() and path.is_file() and path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)
    ]
    assert privileged == []


def test_no_image_is_larger_than_the_documentation_says(container):
    files = {(entry.st_ino, entry.st_size) for path in container.root.rglob("*") for entry in [path.lstat()]}
    assert sum(size for _, size in files) / 1e6 < LARGEST[container.target]
