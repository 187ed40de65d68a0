"""The landed objects of a feed by day, listed once."""

from collections.abc import Sequence
from datetime import date

from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.resources.storage.landing import Landing
from ml_assets.resources.storage.stored_object import StoredObject


def describe_objects(objects: Sequence[StoredObject]) -> list:
    """Return (key, digest, size) of each landed object, as inputs of a fingerprint."""
    return [[stored.key, stored.digest, stored.size] for stored in objects]


class Listing:
    """The landed objects of each day, as of the first request for the day."""

    def __init__(self, feed: Feed, landing: Landing, others: Sequence[str]):
        """List the files of a feed.

        Args:
            feed: the files.
            landing: where they land.
            others: patterns of other files that may lie next to them.
        """
        self._feed, self._landing, self._others = feed, landing, others
        self._days: dict[date, tuple[list[StoredObject], list[str]]] = {}

    def refresh(self) -> None:
        """List again."""
        self._days.clear()

    def objects(self, day: date) -> list[StoredObject]:
        """Return the objects of a day, sorted by key."""
        return self._list(day)[0]

    def overlooked(self, day: date) -> list[str]:
        """Return keys next to those of the day that the pattern does not match and nothing else reads."""
        return self._list(day)[1]

    def _list(self, day: date) -> tuple[list[StoredObject], list[str]]:
        if day not in self._days:
            self._days[day] = self._landing.files_of_day(self._feed.source, day, self._others)
        return self._days[day]
