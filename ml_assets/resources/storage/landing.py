"""Where raw files arrive: which days have landed, the objects of a day with their digests, and their content."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

import dagster as dg

from ml_assets.core.ingestion.file_pattern import (
    Listing,
    compile_key_pattern,
    day_of_key,
    fixed_prefix,
    is_data_file,
    marker_key,
    plan_listings,
    sort_key_before,
)
from ml_assets.core.model_spec.automation import Sensor
from ml_assets.core.model_spec.source import Source
from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.open_store import open_objects
from ml_assets.resources.storage.stored_object import StoredObject


class ObjectChanged(Exception):
    """A landed file is no longer what it was when it was listed."""


@dataclass(frozen=True)
class LandedDay:
    """What lies in the landing for one day: its data files sorted by key, or None when it is not complete; list
    requests since the day before.
    """

    day: date
    objects: list[StoredObject] | None
    requests: int


class Landing(dg.ConfigurableResource):
    """The landing area: a directory, or s3://bucket/prefix."""

    uri: str
    s3: dict[str, str] = {}
    """Arguments of dagster-aws's S3Resource for s3:// (endpoint_url, region_name)."""

    @cached_property
    def _objects(self) -> Directory | Bucket:
        return open_objects(self.uri, self.s3)

    def objects_of_day(self, source: Source, day: date) -> list[StoredObject]:
        """The data files of one day, sorted by key; an empty list when none have landed."""
        found = self._objects.describe(fixed_prefix(source.files, day))
        return [one for one in found if _belongs_to(source, day, one.key)]

    def bytes_of_day(self, files: str, day: date) -> int:
        """The bytes of the data files of one day that a pattern names, as `source.files` writes it; no content is
        looked at.
        """
        return sum(one.size for one in self._objects.sizes(fixed_prefix(files, day)) if _is_of(files, day, one.key))

    def has_files(self, source: Source, day: date) -> bool:
        """Whether any data file of one day has landed; cheaper than `objects_of_day`, as no content is looked at."""
        return any(_belongs_to(source, day, key) for key in self._objects.keys(fixed_prefix(source.files, day)))

    def complete_days(
        self, source: Source, sensor: Sensor, first: date, last: date, now: datetime
    ) -> Iterator[LandedDay]:
        """Each day from `first` to `last`, ascending, with its data files when it is complete as the sensor's settings
        say.

        Where keys sort as days do, the days share one listing: as many requests as there are thousands of objects.
        Otherwise each day has its own. No more than the objects of one day and one page are held at a time.

        Args:
            source: the source of the model.
            sensor: marker and minimum age.
            first: the first day.
            last: the last day.
            now: the time to which the age of a file is counted, with a zone.
        """
        # A marker lies in the folder of the files and need not begin as they do.
        listed = source.files if sensor.marker is None else marker_key(source.files, "*")
        for listing in plan_listings(listed, first, last):
            for day, found, requests in self._by_day(listing):
                yield LandedDay(day, _when_complete(source, sensor, day, found, now), requests)

    def _by_day(self, listing: Listing) -> Iterator[tuple[date, list[StoredObject], int]]:
        """Each day of a listing with all objects that begin as its files do, and the requests since the day before."""
        waiting, found, requests = list(reversed(listing.days)), [], 0
        after: str | None = listing.after
        while after is not None:
            begin, after = after, None
            for page in self._objects.pages(listing.prefix, begin, listing.before):
                requests += 1
                for one in page:
                    while one.key[: len(waiting[-1][1])] > waiting[-1][1]:
                        yield waiting.pop()[0], found, requests
                        found, requests = [], 0
                    if one.key.startswith(waiting[-1][1]):
                        found.append(one)
                # Other folders may lie between those of two days, with any number of objects: no need to list them all.
                if listing.before is not None and page and page[-1].key < sort_key_before(waiting[-1][1]):
                    after = sort_key_before(waiting[-1][1])
                    break
        while waiting:
            yield waiting.pop()[0], found, requests
            found, requests = [], 0

    def days(self, source: Source) -> list[date]:
        """The days that have at least one data file and lie between the start and the end of the source, ascending."""
        found = {day_of_key(source.files, key) for key in self._objects.keys(fixed_prefix(source.files))}
        return sorted(day for day in found if day and source.start <= day and (source.end is None or day <= source.end))

    def read(self, found: StoredObject) -> bytes:
        """The content of one landed file as it was when it was listed.

        Raises:
            ObjectChanged: when it has been replaced or removed since.
        """
        try:
            return self._objects.read_unchanged(found)
        except FileNotFoundError as error:
            raise ObjectChanged(f"{found.key} under {self.uri} was replaced or removed while it was read") from error


def _belongs_to(source: Source, day: date, key: str) -> bool:
    """Whether a key is that of a data file of the day."""
    return _is_of(source.files, day, key)


def _is_of(files: str, day: date, key: str) -> bool:
    return is_data_file(key) and compile_key_pattern(files, day).fullmatch(key) is not None


def _when_complete(
    source: Source, sensor: Sensor, day: date, found: list[StoredObject], now: datetime
) -> list[StoredObject] | None:
    objects = [one for one in found if _belongs_to(source, day, one.key)]
    if sensor.marker is not None:
        marker = compile_key_pattern(marker_key(source.files, sensor.marker), day)
        if objects and not any(marker.fullmatch(one.key) for one in found):
            return None
    if sensor.minimum_age and any(now - one.modified < sensor.minimum_age for one in objects):
        return None
    return sorted(objects, key=lambda one: one.key)
