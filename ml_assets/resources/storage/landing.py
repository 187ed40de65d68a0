"""The landing of raw files: the days that have landed, the objects of a day with their digests, and their content."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

import dagster as dg

from ml_assets.core.ingestion.file_pattern import (
    Listing,
    compile_key_pattern,
    day_of_key,
    fixed_prefix,
    folder_prefix,
    is_data_file,
    is_hidden,
    marker_key,
    plan_listings,
    sort_key_before,
)
from ml_assets.core.model_spec.automation import Sensor
from ml_assets.core.model_spec.source import Source
from ml_assets.resources.storage.bucket import Bucket, ContentDiffers
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.landing_access import missing_root, refuse_absence
from ml_assets.resources.storage.open_store import open_objects
from ml_assets.resources.storage.stored_object import StoredObject


class ObjectChanged(Exception):
    """A landed file has changed since it was listed."""


@dataclass(frozen=True)
class LandedDay:
    """One day of the landing: its data files sorted by key, or None if the day is not complete, and the number of list
    requests since the day before.
    """

    day: date
    objects: list[StoredObject] | None
    requests: int


class Landing(dg.ConfigurableResource):
    """The landing area: a directory, or s3://bucket/prefix.

    Every method raises LandingUnavailable when the landing does not exist or cannot be listed: only an existing landing
    can have no files.
    """

    uri: str
    s3: dict[str, str] = {}
    """Arguments of dagster-aws's S3Resource for s3:// (endpoint_url, region_name)."""

    def __reduce__(self) -> tuple[object, ...]:
        """Send the location to another process, which opens it with its own credentials."""
        return _open, (self.uri, dict(self.s3))

    @cached_property
    def _objects(self) -> Directory | Bucket:
        return open_objects(self.uri, self.s3)

    def missing_root(self) -> str | None:
        """Return why the directory of the landing does not exist; None if it does, or if the landing is a bucket."""
        return missing_root(self._objects.root) if isinstance(self._objects, Directory) else None

    def objects_of_day(self, source: Source, day: date) -> list[StoredObject]:
        """Return the data files of one day, sorted by key; an empty list if none have landed."""
        return self.files_of_day(source, day)[0]

    def files_of_day(
        self, source: Source, day: date, others: Sequence[str] = ()
    ) -> tuple[list[StoredObject], list[str]]:
        """List the data files of one day, and the files next to them that the pattern does not match.

        Args:
            source: the source of the files.
            day: the day.
            others: patterns of files that have another purpose.

        Returns:
            Both sorted by key; the second without hidden files and folders, whose names begin with `_` or `.`.
        """
        prefix = folder_prefix(source.files, day)
        with refuse_absence(self._objects, self.uri):
            listed = self._objects.describe(prefix)
        objects = [stored for stored in listed if _is_file_of_day(source.files, day, stored.key)]
        read = {stored.key for stored in objects}
        expected = [compile_key_pattern(other, day) for other in others]
        folder = prefix.rpartition("/")[0]
        overlooked = [
            stored.key
            for stored in listed
            if stored.key not in read
            and not is_hidden(stored.key[len(folder) :].lstrip("/"))
            and not any(pattern.fullmatch(stored.key) for pattern in expected)
        ]
        return objects, overlooked

    def bytes_of_day(self, files: str, day: date) -> int:
        """Return the total bytes of the data files of one day that match a pattern in the form of `source.files`,
        without reading them.
        """
        with refuse_absence(self._objects, self.uri):
            sizes = self._objects.sizes(fixed_prefix(files, day))
        return sum(file.size for file in sizes if _is_file_of_day(files, day, file.key))

    def has_files(self, source: Source, day: date) -> bool:
        """Return whether any data file of one day has landed; cheaper than `objects_of_day`, which reads the files of a
        directory for their digests.
        """
        with refuse_absence(self._objects, self.uri):
            keys = self._objects.keys(fixed_prefix(source.files, day))
            return any(_is_file_of_day(source.files, day, key) for key in keys)

    def complete_days(
        self, source: Source, sensor: Sensor, first: date, last: date, now: datetime
    ) -> Iterator[LandedDay]:
        """Yield each day from `first` to `last`, ascending, with its data files if it is complete according to the
        settings of the sensor.

        If keys sort in the order of days, the days share one listing: one request for every thousand objects. Otherwise
        each day has a listing of its own. No more than the objects of one day and one page are in memory at a time.

        Args:
            source: the source of the model.
            sensor: marker and minimum age.
            first: the first day.
            last: the last day.
            now: the time at which the age of a file is measured, with a zone.
        """
        # A marker is in the folder of the files, but its name need not share their prefix.
        pattern = source.files if sensor.marker is None else marker_key(source.files, "*")
        with refuse_absence(self._objects, self.uri):
            for listing in plan_listings(pattern, first, last):
                for day, objects, requests in self._objects_by_day(listing):
                    yield LandedDay(day, _data_files_if_complete(source, sensor, day, objects, now), requests)

    def _objects_by_day(self, listing: Listing) -> Iterator[tuple[date, list[StoredObject], int]]:
        """Yield each day of a listing with all objects that share the prefix of its files, and the requests since the
        day before.
        """
        remaining, objects, requests = list(reversed(listing.days)), [], 0
        after: str | None = listing.after
        while after is not None:
            begin, after = after, None
            for page in self._objects.pages(listing.prefix, begin, listing.before):
                requests += 1
                for stored in page:
                    while stored.key[: len(remaining[-1][1])] > remaining[-1][1]:
                        yield remaining.pop()[0], objects, requests
                        objects, requests = [], 0
                    if stored.key.startswith(remaining[-1][1]):
                        objects.append(stored)
                # Skip other folders, with any number of objects, that lie between the folders of two days.
                if listing.before is not None and page and page[-1].key < sort_key_before(remaining[-1][1]):
                    after = sort_key_before(remaining[-1][1])
                    break
        while remaining:
            yield remaining.pop()[0], objects, requests
            objects, requests = [], 0

    def days(self, source: Source) -> list[date]:
        """Return the days between the start and the end of the source that have a data file, ascending."""
        with refuse_absence(self._objects, self.uri):
            landed = {day_of_key(source.files, key) for key in self._objects.keys(fixed_prefix(source.files))}
        return sorted(
            day for day in landed if day and source.start <= day and (source.end is None or day <= source.end)
        )

    def read(self, listed: StoredObject) -> bytes:
        """Return the content of a landed file as it was when it was listed.

        Raises:
            ObjectChanged: when it has been replaced or removed since.
        """
        try:
            with refuse_absence(self._objects, self.uri):
                return self._objects.read_unchanged(listed)
        except FileNotFoundError as error:
            raise ObjectChanged(f"{listed.key} under {self.uri} was replaced or removed while it was read") from error
        except ContentDiffers as error:
            raise ObjectChanged(f"{error}: it was replaced or damaged while it was read") from error


def _is_file_of_day(files: str, day: date, key: str) -> bool:
    return is_data_file(key) and compile_key_pattern(files, day).fullmatch(key) is not None


def _data_files_if_complete(
    source: Source, sensor: Sensor, day: date, listed: list[StoredObject], now: datetime
) -> list[StoredObject] | None:
    data_files = [stored for stored in listed if _is_file_of_day(source.files, day, stored.key)]
    if sensor.marker is not None:
        marker = compile_key_pattern(marker_key(source.files, sensor.marker), day)
        if data_files and not any(marker.fullmatch(stored.key) for stored in listed):
            return None
    if sensor.minimum_age and any(now - stored.modified < sensor.minimum_age for stored in data_files):
        return None
    return sorted(data_files, key=lambda stored: stored.key)


def _open(uri: str, s3: dict[str, str]) -> Landing:
    return Landing(uri=uri, s3=s3)
