"""Where raw files arrive: which days have landed, the objects of a day with their digests, and their content."""

from datetime import date, datetime
from functools import cached_property

import dagster as dg

from ml_assets.core.file_pattern import day_of_key, fixed_prefix, is_data_file, keys_pattern, marker_key
from ml_assets.core.spec.operation import Sensor
from ml_assets.core.spec.source import Source
from ml_assets.resources.objects import Bucket, Directory, StoredObject, open_objects


class ObjectChanged(Exception):
    """A landed file is no longer what it was when it was listed."""


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

    def has_files(self, source: Source, day: date) -> bool:
        """Whether any data file of one day has landed; cheaper than `objects_of_day`, as no content is looked at."""
        return any(_belongs_to(source, day, key) for key in self._objects.keys(fixed_prefix(source.files, day)))

    def complete_objects(self, source: Source, sensor: Sensor, day: date, now: datetime) -> list[StoredObject] | None:
        """The data files of one day when it is complete as the sensor's settings say, else None. One listing of the day's prefix.

        Args:
            source: the source of the model.
            sensor: marker and minimum age.
            day: the day.
            now: the time to which the age of a file is counted, with a zone.
        """
        found = self._objects.describe(fixed_prefix(source.files, day))
        objects = [one for one in found if _belongs_to(source, day, one.key)]
        if sensor.marker is not None:
            marker = keys_pattern(marker_key(source.files, sensor.marker), day)
            if objects and not any(marker.fullmatch(one.key) for one in found):
                return None
        if sensor.minimum_age and any(now - one.modified < sensor.minimum_age for one in objects):
            return None
        return objects

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
    return is_data_file(key) and keys_pattern(source.files, day).fullmatch(key) is not None
