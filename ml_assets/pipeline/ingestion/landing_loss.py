"""The guard against a landing that has lost the files of most days at once, such as one that is not mounted."""

from datetime import date, timedelta

from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.model_spec.labels import LateData
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.engine.stage import CannotMake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.landing import Landing

# If fewer days than this lose their files while others keep theirs, the files were removed on purpose.
MIN_DAYS_LOST = 3


class LandingLost(CannotMake):
    """The files of most of the days that the lake holds are gone at once."""


class LandingLossGuard:
    """Distinguishes the removal of a day's files from the loss of the landing, by the days around it.

    Args:
        feed: the files.
        policy: the late-data policy, which names the days whose files were removed on purpose.
        landing: where files land.
        raw: the table of landed rows, which shows the days that were computed and not removed by retention.
        objects: the table of landed objects, which shows the files that each day was made from.
        reach: how far before and after a day other days are considered.
    """

    def __init__(self, feed: Feed, policy: LateData, landing: Landing, raw: Table, objects: Table, reach: timedelta):
        self._feed = feed
        self._policy = policy
        self._landing = landing
        self._raw = raw
        self._objects = objects
        self._reach = reach
        self._has_files: dict[date, bool] = {}

    def refresh(self) -> None:
        """Forget which days have files."""
        self._has_files.clear()

    def check(self, day: date) -> None:
        """Check for a day without files that most days within reach that were made from files still have some.

        Days that were computed without files, that were never computed or whose rows retention removed do not count.

        Raises:
            LandingLost: when the day was made from files and no such day has any left, or fewer than half of them and
                at least three have none.
        """
        if self._policy.removed_through is not None and day <= self._policy.removed_through:
            return
        days = [
            other
            for other in sorted(self._objects.row_counts())
            if abs(other - day) <= self._reach and self._raw.fingerprint(other) != EXPIRED
        ]
        if day not in days:
            return
        remaining = 0
        for other in reversed(days):
            remaining += self._is_landed(other)
            if remaining and 2 * remaining >= len(days):
                return
        lost = len(days) - remaining
        if remaining and lost < MIN_DAYS_LOST:
            return
        if len(days) == 1:
            count = f"the only day, {day},"
        else:
            count = f"{f'{lost} of the' if remaining else 'all'} {len(days)} days from {days[0]} to {days[-1]}"
        raise LandingLost(
            f"{self._feed.name}: the files of {count} that {self._feed.raw} holds are gone at once; looked for "
            f"{self._feed.source.files} under {self._landing.uri}. The days stay as they are. Check that the landing "
            "is mounted and that ML_ASSETS_LANDING and the pattern are right, or restore the files; if they were "
            "removed on purpose, set late_data.removed_through to the last day whose files were removed"
        )

    def _is_landed(self, day: date) -> bool:
        if day not in self._has_files:
            self._has_files[day] = self._landing.has_files(self._feed.source, day)
        return self._has_files[day]
