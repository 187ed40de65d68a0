"""The limits of the service, with their defaults."""

from dataclasses import dataclass, field

from ml_assets.core.serving.request_limits import RequestLimits

MAX_REASONS = 20
"""Maximum number of features that a response names as reasons."""


@dataclass(frozen=True)
class Limits:
    """Limits of requests and connections, and the intervals of refreshes.

    api_key: required in the header X-API-Key; None: no key is required. body_bytes: maximum size of a request.
    registry_seconds, history_seconds: seconds between refreshes. per_second: sustained rate of scoring requests per
    client address; None: unlimited. request: bounds on the content of a body. large_requests: number of requests that
    may wait for the process that reads large ones; a client may have a quarter of them. head_seconds, body_seconds:
    maximum time for the head (from the beginning of the connection or head) and for the body. future_seconds: time by
    which a row may lie after the clock of the service. connections, connections_per_client: maximum number of open
    connections. trusted_proxies: addresses and networks whose header X-Forwarded-For names the client, in the form of
    uvicorn's `forwarded_allow_ips`; None: no proxy.
    """

    api_key: str | None = None
    body_bytes: int = 1_000_000
    registry_seconds: float = 1.0
    history_seconds: float = 10.0
    per_second: float | None = None
    request: RequestLimits = field(default_factory=RequestLimits)
    large_requests: int = 128
    head_seconds: float = 5.0
    body_seconds: float = 10.0
    future_seconds: float = 86_400.0
    connections: int = 1_000
    connections_per_client: int = 250
    trusted_proxies: str | None = None
