"""A real webserver and a real daemon on a Dagster instance of their own, driven over GraphQL as the UI does."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ml_assets.definitions import DEFS
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets_tests.support.http_server import free_port

Found = TypeVar("Found")

LOCATION = """\
from pathlib import Path

import dagster as dg

from ml_assets.defs.environment import environment
from ml_assets.pipeline.component import ModelPipeline
from ml_assets.core.model_spec.defs_yaml.reader import read_spec

specs = [read_spec(path) for path in sorted(Path({folder!r}).glob("*.yaml"))]
defs = dg.Definitions.merge(environment(), *[ModelPipeline(spec).build_defs(None) for spec in specs])
"""
BACKFILL = """mutation($backfill: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $backfill) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message stack } } }"""
STATUS = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } } } }"""
RUNS = """{ runsOrError(limit: 100) { ... on Runs { results {
    runId status creationTime startTime endTime jobName tags { key value } } } } }"""
RUN = """mutation($run: ExecutionParams!) { launchPipelineExecution(executionParams: $run) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
LOGS = """query($id: ID!, $after: String) { runOrError(runId: $id) { ... on Run {
    eventConnection(afterCursor: $after) { cursor hasMore events {
    __typename ... on MessageEvent { message timestamp } ... on ErrorEvent { error { message } } } } } } }"""


class LocalInstance:
    """Webserver and daemon with the repository's dagster.yaml, a landing directory and a lake under `root`, and one or
    more models.
    """

    def __init__(self, root: Path, models: Sequence[dict]):
        self.root, self.home, self.landing, self.lake = root, root / "dagster", root / "landing", root / "lake"
        self.home.mkdir(parents=True)
        (self.home / "dagster.yaml").symlink_to(DEFS.parent / "resources/dagster_instance/dagster.yaml")
        folder = root / "models"
        folder.mkdir()
        for model in models:
            (folder / f"{model['name']}.yaml").write_text(
                yaml.safe_dump({"type": "ml_assets.ModelPipeline", "attributes": model}, sort_keys=False)
            )
        (root / "location.py").write_text(LOCATION.format(folder=str(folder)))
        location = {"python_file": {"relative_path": "location.py", "attribute": "defs", "location_name": "ml_assets"}}
        self.workspace = root / "workspace.yaml"
        self.workspace.write_text(yaml.safe_dump({"load_from": [location]}))
        self.port = free_port()
        self.environment = {
            **os.environ,
            "DAGSTER_HOME": str(self.home),
            "ML_ASSETS_LANDING": str(self.landing),
            "ML_ASSETS_LAKE": str(self.lake),
            "MLFLOW_TRACKING_URI": f"sqlite:///{root / 'mlflow.db'}",
            "ML_ASSETS_DEPLOY": str(root / "production"),
            # As `ml-assets ui` sets it.
            "DAGSTER_EVENT_BATCH_SIZE": "400",
        }
        self._processes: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "LocalInstance":
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._processes):
            self.stop(name)

    def start_webserver(self) -> None:
        """Start the webserver and wait until it answers."""
        self._start("webserver", "dagster-webserver", "-h", "127.0.0.1", "-p", str(self.port))
        self.wait("the webserver", self._answers, 90)

    def start_daemon(self) -> None:
        """Start the daemon."""
        self._start("daemon", "dagster-daemon", "run")

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """End the processes of the webserver or of the daemon: the code servers and runs that they started are in its
        group.
        """
        process = self._processes.pop(name)
        os.killpg(process.pid, how)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def processes_of(self, name: str) -> list[int]:
        """List the process of the webserver or of the daemon alone, or, as `code server`, the code servers of both."""
        if name != "code server":
            return [self._processes[name].pid]
        groups = {process.pid for process in self._processes.values()}
        processes = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
        return [process for process in processes if _is_code_server(process, groups)]

    def graphql(self, query: str, **variables: Any) -> dict:
        """Return the data of a query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert not answer.get("errors"), answer["errors"]
        return answer["data"]

    def backfill(
        self, model: str, first: date, last: date, *more: tuple[date, date], names: Sequence[str] = LANDED_TO_FEATURES
    ) -> str:
        """Launch a backfill of assets for a range of days, or for several ranges; return its identifier."""
        days = {"ranges": [{"start": str(begin), "end": str(end)} for begin, end in [(first, last), *more]]}
        assets = [{"assetKey": {"path": [model, name]}, "partitions": days} for name in names]
        launched = self.graphql(BACKFILL, backfill={"partitionsByAssets": assets, "tags": []})[
            "launchPartitionBackfill"
        ]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return launched["backfillId"]

    def launch(
        self, model: str, first: date, last: date | None = None, job: str = "features", config: dict | None = None
    ) -> str:
        """Launch a run of a job of a model by hand, for one day or a range of days, with a configuration as in the
        launchpad; its identifier.
        """
        tags = {"dagster/partition": str(first)}
        if last is not None:
            tags = {"dagster/asset_partition_range_start": str(first), "dagster/asset_partition_range_end": str(last)}
        selector = {
            "repositoryLocationName": "ml_assets",
            "repositoryName": "__repository__",
            "pipelineName": f"{model}_{job}",
        }
        metadata = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
        launched = self.graphql(
            RUN,
            run={"selector": selector, "runConfigData": config or {}, "mode": "default", "executionMetadata": metadata},
        )
        assert launched["launchPipelineExecution"]["__typename"] == "LaunchRunSuccess", launched
        return launched["launchPipelineExecution"]["run"]["runId"]

    def backfill_status(self, backfill: str) -> str:
        """Return the status of a backfill, such as REQUESTED or COMPLETED_SUCCESS."""
        return self.graphql(STATUS, id=backfill)["partitionBackfillOrError"]["status"]

    def runs(self) -> list[dict]:
        """List all runs, the newest first: runId, status, times in seconds since 1970, tags by key."""
        runs = self.graphql(RUNS)["runsOrError"]["results"]
        return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in runs]

    def events(self, run_id: str) -> list[dict]:
        """List the events of a run."""
        events, after, more = [], None, True
        while more:
            page = self.graphql(LOGS, id=run_id, after=after)["runOrError"]["eventConnection"]
            events, after, more = events + page["events"], page["cursor"], page["hasMore"]
        return events

    def process_of(self, run_id: str) -> int | None:
        """Return the process that executes a run, or None before it has started."""
        messages = [event.get("message", "") for event in self.events(run_id)]
        return next(
            (
                int(text.split("pid: ")[1].split(")")[0])
                for text in messages
                if "Started process for run (pid: " in text
            ),
            None,
        )

    def wait(self, what: str, look: Callable[[], Found], seconds: float, every: float = 0.2) -> Found:
        """Call a function again and again until it returns something.

        Raises:
            AssertionError: after `seconds`, with the end of what webserver and daemon wrote.
        """
        until = time.monotonic() + seconds
        while not (result := look()):
            if time.monotonic() > until:
                logs = "\n".join(f"{path.name}: ...{path.read_text()[-3000:]}" for path in self.root.glob("*.log"))
                raise AssertionError(f"{what} did not come within {seconds} s\n{logs}")
            time.sleep(every)
        return result

    def _start(self, name: str, *command: str) -> None:
        program, *arguments = command
        with (self.root / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [str(Path(sys.executable).parent / program), *arguments, "-w", str(self.workspace)],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        try:
            return bool(self.graphql("{ version }"))
        except (urllib.error.URLError, ConnectionError):
            return False


def _is_code_server(process: int, groups: Collection[int]) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        return b"grpc" in command and os.getpgid(process) in groups
    except OSError:
        return False
