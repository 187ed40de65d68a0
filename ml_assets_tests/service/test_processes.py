"""The commands of docs/reference/serving.md, run as processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from ml_assets.core.tables.schemas import to_pandas
from ml_assets.pipeline.evaluation.model_reader import read_scorer
from ml_assets.resources.lake.model_files import artifacts_key
from ml_assets_tests.pipeline.world import World, day
from ml_assets_tests.service.conftest import LAST
from ml_assets_tests.support.http_server import free_port

pytestmark = pytest.mark.slow


@contextmanager
def running(*command: str, path: str, port: int, **environment: str) -> Iterator[tuple[subprocess.Popen, httpx.Client]]:
    """Run a server until the block ends, with its child processes; yield it once it answers at a path."""
    process = subprocess.Popen([sys.executable, *command], env={**os.environ, **environment}, start_new_session=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            end = time.monotonic() + 120
            while True:
                try:
                    client.get(path).raise_for_status()
                    break
                except httpx.HTTPError:
                    assert process.poll() is None
                    assert time.monotonic() < end
                    time.sleep(0.2)
            yield process, client
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def test_the_command_of_make_serve_serves_until_it_gets_sigterm(tmp_path):
    port, environment = (
        free_port(),
        {
            "ML_ASSETS_LAKE": str(tmp_path),
            "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/none.db",
            "ML_ASSETS_API_KEY": "secret",
        },
    )
    command = ("-m", "ml_assets.cli", "serve", "fraud_detection", "--port", str(port))
    with running(*command, path="/health", port=port, **environment) as (process, client):
        assert client.get("/ready").status_code == 503
        assert client.post("/score", content=b"{}").status_code == 401
        assert client.post("/score", content=b"{}", headers={"X-API-Key": "secret"}).status_code == 503
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_mlflow_models_serve_serves_the_champion(original: World):
    features = to_pandas(original.stages().features.features.read([day(LAST)]))[original.spec.feature_names()]
    digest = original.registry.client.get_model_version_by_alias("small", "champion").tags["model_digest"]
    expected = read_scorer(original.lake, artifacts_key("small", digest)).score(features)
    port = free_port()
    command = (
        "-m",
        "mlflow",
        "models",
        "serve",
        "-m",
        "models:/small@champion",
        "--env-manager",
        "local",
        "--port",
        str(port),
    )
    # The server is started from PATH.
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    with running(*command, path="/ping", port=port, MLFLOW_TRACKING_URI=original.registry.tracking_uri, PATH=path) as (
        _,
        client,
    ):
        columns_and_rows = features.astype(object).where(features.notna(), None).to_dict("split")
        answer = client.post(
            "/invocations",
            json={
                "dataframe_split": {
                    "columns": columns_and_rows["columns"],
                    "data": columns_and_rows["data"],
                }
            },
        )
    assert answer.status_code == 200, answer.text
    assert [prediction["score"] for prediction in answer.json()["predictions"]] == expected.tolist()
