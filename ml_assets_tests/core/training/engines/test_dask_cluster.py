"""A cluster is connected or created, and without one the error says what to do."""

import builtins
import re
import socket
from importlib.resources import files

import pytest
import yaml
from distributed import Scheduler

from ml_assets.core.model_spec.compute import Compute, MemoryRule
from ml_assets.core.model_spec.dask_cluster import Kubernetes
from ml_assets.core.training.engines.dask_cluster import (
    ClusterUnavailable,
    cluster_on_kubernetes,
    for_training,
    open_cluster,
)
from ml_assets_tests.core.training import test_train as cases


def _use(**dask):
    return for_training(cases._spec(engine="dask", dask=dask))


@pytest.mark.slow
def test_without_an_address_local_processes_are_started_and_stopped():
    lines = []
    with open_cluster("small", _use(workers=1), lines.append) as client:
        address = client.scheduler.address
        assert len(client.nthreads()) == 1
    assert lines == [f"small: training on 1 Dask workers with 1 threads at {address}"]
    host, port = address.removeprefix("tcp://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_a_scheduler_that_does_not_answer_is_named():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with (
        pytest.raises(ClusterUnavailable, match=rf"no scheduler answers at {address} within 0.5 s .*check the address"),
        open_cluster("small", _use(address=address), print, seconds_to_connect=0.5),
    ):
        pytest.fail("there is a cluster")


def test_missing_workers_are_counted():
    async def serve(ready, stop):
        async with Scheduler(host="127.0.0.1", port=0, dashboard=False, dashboard_address=None) as scheduler:
            ready.append(scheduler.address)
            while not stop:
                await asyncio.sleep(0.05)

    import asyncio
    import threading
    import time

    ready, stop = [], []
    serving = threading.Thread(target=lambda: asyncio.run(serve(ready, stop)))
    serving.start()
    try:
        while not ready:
            time.sleep(0.05)
        with (
            pytest.raises(
                ClusterUnavailable, match=r"has 0 of the 3 specified workers after 0.5 s; start more of them, or lower"
            ),
            open_cluster("small", _use(address=ready[0], workers=3), print, seconds_for_workers=0.5),
        ):
            pytest.fail("there is a cluster")
    finally:
        stop.append(True)
        serving.join()


@pytest.mark.parametrize("package", ["distributed", "dask_kubernetes"])
def test_a_missing_package_names_the_extra(monkeypatch, package):
    plain = builtins.__import__

    def without(name, *arguments, **options):
        if name.split(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package}", name=package)
        return plain(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with (
        pytest.raises(
            ClusterUnavailable,
            match=rf"needs the package {package}, which is not installed; .*pip install 'ml_assets\[dask\]'",
        ),
        open_cluster("small", _use(kubernetes={"image": "ml-assets:1"}), print),
    ):
        pytest.fail("there is a cluster")


def _operators_schema() -> dict:
    """The operator's own description of a DaskCluster; what Kubernetes says of pods and services is not part of it."""
    text = (files("dask_kubernetes") / "operator/customresources/templates.yaml").read_text()
    text = re.sub(r"'python://dask_kubernetes/[^#']*(#[^']*)'", r"'\1'", text)
    text = re.sub(r"'python://k8s_crd_resolver/[^']*\.(\w+)'", r"'#/definitions/\1'", text)
    result = yaml.safe_load(text)
    result["definitions"] |= {
        "PodSpec": {"type": "object", "required": ["containers"]},
        "ServiceSpec": {"type": "object", "required": ["ports"]},
    }
    return {**result, **result["definitions"]["dask.k8s.api.v1.DaskCluster"]}


def test_the_cluster_on_kubernetes_has_the_schema_of_the_operator():
    import jsonschema

    wanted = Kubernetes(image="ml-assets:1", service_account="trainer", secrets=["lake"])
    built = cluster_on_kubernetes("ml-assets-1", wanted, 3, Compute(cpu=4, memory="8Gi", gpu=2))
    jsonschema.validate(built, _operators_schema())
    worker, scheduler = built["spec"]["worker"], built["spec"]["scheduler"]["spec"]
    (container,) = worker["spec"]["containers"]
    assert worker["replicas"] == 3
    assert worker["spec"]["serviceAccountName"] == scheduler["serviceAccountName"] == "trainer"
    assert container["resources"]["limits"] == {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": "1"}
    assert container["envFrom"] == [{"secretRef": {"name": "lake"}}]
    limit = str(8 * 2**30)
    assert container["args"][:6] == ["dask", "worker", "--nthreads", "4", "--memory-limit", limit]
    assert "nvidia.com/gpu" not in scheduler["containers"][0]["resources"]["limits"]
    assert built["spec"]["idleTimeout"] == 900
    del built["spec"]["worker"]["spec"]["containers"]
    with pytest.raises(jsonschema.ValidationError, match="'containers' is a required property"):
        jsonschema.validate(built, _operators_schema())


def test_workers_get_the_most_memory_that_a_rule_gives():
    wanted = Kubernetes(image="ml-assets:1", service_account="trainer", secrets=[])
    compute = Compute(memory=MemoryRule(base="1Gi", per_input_byte=4, maximum="12Gi"))
    (container,) = cluster_on_kubernetes("ml-assets-1", wanted, 3, compute)["spec"]["worker"]["spec"]["containers"]
    assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"] == "12Gi"
