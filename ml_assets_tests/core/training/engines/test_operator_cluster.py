"""A cluster of the Dask operator counts as there when its scheduler is ready, and is removed in any case."""

import json
from contextlib import contextmanager
from typing import ClassVar

import pytest

from ml_assets.core.training.engines.operator_cluster import ClusterUnavailable, operator_cluster
from ml_assets_tests.support.http_server import QuietHandler, http_server

pytest.importorskip("dask_kubernetes")
DESCRIPTION = {"apiVersion": "kubernetes.dask.org/v1", "kind": "DaskCluster", "metadata": {"name": "ml-assets-1"}}
CLUSTERS = "/apis/kubernetes.dask.org/v1/namespaces/fraud/daskclusters"
READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
UNSCHEDULABLE = {
    "phase": "Pending",
    "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes are available"}
    ],
}
PULLING = {
    "phase": "Pending",
    "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
    "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}],
}


class Api(QuietHandler):
    """An API server of Kubernetes. creation: the status of its answer to a new cluster, whose phase stays Pending.
    schedulers: the status of the scheduler's pod in each list of pods, the last again and again; None without a pod.
    """

    creation: ClassVar[int]
    schedulers: ClassVar[list[dict | None]]
    requests: ClassVar[list[str]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        pending = {**DESCRIPTION, "status": {"phase": "Pending"}}
        self._answer(self.creation, pending if self.creation == 201 else {"kind": "Status", "message": "refused"})

    def do_GET(self) -> None:
        if self.path.startswith("/version"):
            self._answer(200, {"gitVersion": "v1.34.0", "major": "1", "minor": "34"})
            return
        status = self.schedulers.pop(0) if len(self.schedulers) > 1 else self.schedulers[0]
        pods = [] if status is None else [{"kind": "Pod", "metadata": {"name": "scheduler-1"}, "status": status}]
        self._answer(200, {"kind": "PodList", "apiVersion": "v1", "items": pods})

    def do_DELETE(self) -> None:
        self._answer(200, DESCRIPTION)

    def _answer(self, status: int, content: dict) -> None:
        if not self.path.startswith("/version"):
            self.requests.append(f"{self.command} {self.path.partition('?')[0]}")
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Serve an API until the last test, because kr8s keeps its connection."""
    file = tmp_path_factory.mktemp("kubernetes") / "config"
    with http_server(Api) as address, pytest.MonkeyPatch.context() as patch:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": address}}],
            "users": [{"name": "test", "user": {"token": "test"}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "fraud"}}],
        }
        file.write_text(json.dumps(config))
        patch.setenv("KUBECONFIG", str(file))
        yield Api


@pytest.fixture
def api(server, monkeypatch):
    """Return an API that creates clusters, and let KubeCluster connect to whatever exists."""

    @contextmanager
    def connected(name: str, **options: object):
        yield name, options

    monkeypatch.setattr("dask_kubernetes.operator.KubeCluster.from_name", connected)
    monkeypatch.setattr("ml_assets.core.training.engines.operator_cluster.SECONDS_BETWEEN_LOOKS", 0.02)
    server.creation, server.schedulers, server.requests = 201, [READY], []
    return server


def opened(seconds: float = 10):
    return operator_cluster(DESCRIPTION, "fraud", "training.dask", seconds)


def test_a_cluster_whose_phase_stays_pending_is_used_when_its_scheduler_is_ready_and_removed(api):
    api.schedulers = [None, UNSCHEDULABLE, READY]
    with opened() as (name, options):
        assert (name, options) == ("ml-assets-1", {"namespace": "fraud", "quiet": True})
        assert not any(request.startswith("DELETE") for request in api.requests)
    assert api.requests[0] == f"POST {CLUSTERS}"
    assert api.requests[-1] == f"DELETE {CLUSTERS}/ml-assets-1"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (None, "it has no pod; is the Dask operator running"),
        (UNSCHEDULABLE, r"its pod scheduler-1 is Pending \(Unschedulable: 0/2 nodes are available\)"),
        (PULLING, r"its pod scheduler-1 is Pending \(ImagePullBackOff: no such image\)"),
    ],
)
def test_a_scheduler_that_is_not_ready_in_time_is_described_and_the_cluster_removed(api, status, reason):
    api.schedulers = [status]
    with (
        pytest.raises(ClusterUnavailable, match=f"the scheduler of ml-assets-1 is not ready after 0.1 s: {reason}"),
        opened(0.1),
    ):
        pytest.fail("there is a cluster")
    assert api.requests[-1] == f"DELETE {CLUSTERS}/ml-assets-1"


@pytest.mark.parametrize(
    ("creation", "message"),
    [
        (404, "knows no DaskCluster in the namespace fraud; install the Dask operator"),
        (403, "may not create a DaskCluster in the namespace fraud .*set dask.enabled"),
        (422, "Kubernetes refused the DaskCluster"),
    ],
)
def test_a_refused_cluster_says_what_to_do(api, creation, message):
    api.creation = creation
    with pytest.raises(ClusterUnavailable, match=f"training.dask: .*{message}"), opened():
        pytest.fail("there is a cluster")
    # kr8s tries again where the server forbids.
    assert set(api.requests) == {f"POST {CLUSTERS}"}
