"""The health check of a code server fails when it cannot list its repositories, and says why."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from dagster._grpc.__generated__.dagster_api_pb2 import ListRepositoriesReply
from dagster._grpc.__generated__.dagster_api_pb2_grpc import DagsterApiServicer, add_DagsterApiServicer_to_server
from dagster._grpc.types import ListRepositoriesResponse
from dagster_shared.serdes import serialize_value

from ml_assets.resources.dagster_instance import code_server_health
from ml_assets.resources.dagster_instance.code_server_health import failure_of
from ml_assets.resources.dagster_internals.serialized_errors import SerializableErrorInfo

REPOSITORIES = ListRepositoriesResponse([], None, {})
UNWRITABLE = SerializableErrorInfo("OSError: [Errno 30] Read-only file system: '/opt/home'\n", [], "OSError")


@contextmanager
def code_server(answer: object) -> Iterator[int]:
    """Serve an answer by Dagster's own servicer, so that a change of its protocol fails the tests; yield the port."""

    class Servicer(DagsterApiServicer):
        def ListRepositories(self, request, context):
            return ListRepositoriesReply(serialized_list_repositories_response_or_error=serialize_value(answer))

    server = grpc.server(ThreadPoolExecutor(1))
    add_DagsterApiServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None)


def test_a_server_that_lists_its_repositories_is_healthy():
    with code_server(REPOSITORIES) as port:
        assert failure_of(port) is None


def test_a_server_whose_listing_fails_is_not_healthy_and_its_error_is_named():
    with code_server(UNWRITABLE) as port:
        assert failure_of(port) == "OSError: [Errno 30] Read-only file system: '/opt/home'"


def test_a_port_that_nobody_listens_on_is_not_healthy():
    with code_server(REPOSITORIES) as port:
        pass
    assert "no answer" in (failure_of(port, timeout=5) or "")


def test_the_probe_is_a_command_that_imports_no_dagster():
    with code_server(UNWRITABLE) as port:
        arguments = [sys.executable, "-X", "importtime", "-m", code_server_health.__name__, str(port)]
        probe = subprocess.run(arguments, capture_output=True, text=True)
    assert probe.returncode == 1
    assert "lists no repositories: OSError" in probe.stderr
    assert "dagster" not in {line.rsplit("|")[-1].strip() for line in probe.stderr.splitlines()}
