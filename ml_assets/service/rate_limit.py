"""A rate limit for each client, as a token bucket."""

from collections import OrderedDict

# The clients that were idle longest are forgotten. That is harmless, because a forgotten client starts with a full
# bucket, as after any long idle time.
MAX_CLIENTS = 10_000


class RateLimit:
    """A sustained number of requests per second for each client, and twice as many in a burst."""

    def __init__(self, per_second: float):
        """Set the rate.

        Raises:
            ValueError: when the rate is not above 0.
        """
        if not per_second > 0:
            raise ValueError(f"a rate of {per_second:g} requests a second allows no request; it must be above 0")
        self._rate = per_second
        self._burst = max(2 * per_second, 1.0)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_to_wait(self, client: str, now: float) -> float:
        """Take one token of a client; return 0 if there was one, else the seconds until the next.

        Args:
            client: the client's name or address.
            now: monotonic clock, in seconds.
        """
        tokens, since = self._buckets.pop(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        has_token = tokens >= 1
        self._buckets[client] = (tokens - has_token, now)
        if len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if has_token else (1 - tokens) / self._rate
