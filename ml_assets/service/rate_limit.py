"""A limit on how often each client may ask: a bucket of tokens that fills as time passes."""

from collections import OrderedDict

# Those that were seen longest ago are forgotten: a client that is forgotten has a full bucket, as one that has kept
# still.
MOST_CLIENTS = 10_000


class RateLimit:
    """So many requests a second for each client in the long run, and twice as many at once."""

    def __init__(self, per_second: float):
        """Take the rate.

        Raises:
            ValueError: when it is not above 0.
        """
        if not per_second > 0:
            raise ValueError(f"a rate of {per_second:g} requests a second lets nobody ask; it must be above 0")
        self._rate, self._most = per_second, max(2 * per_second, 1.0)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_to_wait(self, client: str, now: float) -> float:
        """Take one token of a client: 0 when there was one, else the seconds until there will be.

        Args:
            client: who asks.
            now: seconds on a clock that never goes back.
        """
        tokens, since = self._buckets.pop(client, (self._most, now))
        tokens = min(self._most, tokens + (now - since) * self._rate)
        has_one = tokens >= 1
        self._buckets[client] = (tokens - has_one, now)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if has_one else (1 - tokens) / self._rate
