"""The ID of a request: the client's header X-Request-ID, or a new ID."""

import re
from collections.abc import Mapping
from uuid import uuid4

REQUEST_ID = "X-Request-ID"
_VALID = re.compile(r"[\x21-\x7e]{1,128}")


def request_id_of(headers: Mapping[str, str]) -> str:
    """Return the header X-Request-ID of a request if it is 1 to 128 visible ASCII characters, else a random ID."""
    given = headers.get("x-request-id")
    return given if given is not None and _VALID.fullmatch(given) else uuid4().hex
