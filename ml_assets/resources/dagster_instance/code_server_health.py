"""Health check of a code server: `python -m ml_assets.resources.dagster_instance.code_server_health PORT`.

`dagster api grpc-health-check` reports healthy as soon as the port is open, even if each request for the repositories
fails. This module requests them, as the webserver and the daemon do. It imports gRPC but not Dagster, so that a probe
takes a fraction of a second.
"""

import re
import sys

import grpc

# The service of dagster_api.proto. Its request has no fields, and its answer one, with a serialized response or error.
LIST_REPOSITORIES = "/api.DagsterApi/ListRepositories"
RESPONSE = b'"__class__": "ListRepositoriesResponse"'
MESSAGE = re.compile(rb'"message": "((?:[^"\\]|\\.)*)"')
TIMEOUT_SECONDS = 60


def failure_of(port: int, timeout: float = TIMEOUT_SECONDS) -> str | None:
    """Request the repositories of the code server on this machine, and return the error if it cannot list them.

    Args:
        port: the port that it listens on.
        timeout: seconds within which it has to answer.

    Returns:
        The message of the error; None when it listed its repositories.
    """
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            answer: bytes = channel.unary_unary(LIST_REPOSITORIES)(b"", timeout=timeout)
        except grpc.RpcError as error:
            return f"no answer: {error}"
    if RESPONSE in answer:
        return None
    messages = MESSAGE.findall(answer)
    return messages[0].decode("unicode_escape").strip() if messages else answer.decode(errors="replace")


if __name__ == "__main__":
    failure = failure_of(int(sys.argv[1]))
    sys.exit(f"The code server lists no repositories: {failure}" if failure else 0)
