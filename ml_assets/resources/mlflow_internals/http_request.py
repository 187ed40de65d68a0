"""A single HTTP request to an MLflow server, authenticated like those of MLflow's client.

Reason: a check that the server responds must not be stricter than the client: user and password in the URI, a token,
plugins for authentication, and settings for certificates all count. The client itself retries for minutes.
Public API that would replace it: a method of `MlflowClient` that reports whether the server responds.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from requests import Response


def get(uri: str, path: str, timeout: float) -> "Response":
    """Request a path of the server at `uri` once; a response with an error status is returned, too.

    Raises:
        mlflow.exceptions.MlflowException: when there is no response.
    """
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    credentials = get_default_host_creds(uri.rstrip("/"))
    response = http_request(credentials, path, "GET", max_retries=0, timeout=timeout, raise_on_status=False)
    assert response is not None
    return response
