"""JSON responses, and the rejection of a request before its row is read."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response

JSON = "application/json"


class RequestRejected(Exception):
    """A request is rejected before its row is read; has the status, detail and headers of the response."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers

    def response(self) -> "Response":
        """Return the response with the reason."""
        return json_response({"detail": self.detail}, self.status, self.headers)


def json_response(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> "Response":
    """Return a response with a JSON body."""
    from starlette.responses import Response

    return Response(json.dumps(content), status, headers, JSON)
