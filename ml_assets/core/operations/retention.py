"""Retention: selection of old days, models and files that no registered version or alias needs."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml_assets.core.release.release_state import Version

# A run that is still writing the files of a model has not committed its row yet.
MIN_AGE = timedelta(days=1)


@dataclass(frozen=True)
class ModelVersion:
    """A version in the registry: its number, the day and the digest of its model, and the aliases that point to it."""

    number: int
    day: date
    digest: str
    aliases: tuple[str, ...] = ()

    def __str__(self) -> str:
        aliases = f" ({', '.join(self.aliases)})" if self.aliases else ""
        return f"version {self.number} of {self.day}{aliases}"


@dataclass(frozen=True)
class Commit:
    """A commit of a table: its version, its time (with a time zone), and the fingerprints of the days that it wrote."""

    version: int
    time: datetime
    fingerprints: Mapping[date, int]


@dataclass(frozen=True)
class NeededVersions:
    """Versions of a table, ascending, each with the days whose files must be kept; `lost` has the needed (day,
    fingerprint) pairs that no known version has.
    """

    versions: dict[int, list[date]]
    lost: list[tuple[date, int]]


def with_live_versions(versions: Iterable[ModelVersion], live: "Mapping[str, Version | None]") -> list[ModelVersion]:
    """Return the versions with the aliases that the registry or the release ledger gives them, including live versions
    that are no longer in the registry.

    Args:
        versions: all versions in the registry.
        live: the version of each alias according to the release ledger.
    """
    aliases: dict[str, set[str]] = {}
    for alias, version in live.items():
        if version is not None:
            aliases.setdefault(version.digest, set()).add(alias)
    registered = [
        replace(version, aliases=tuple(sorted({*version.aliases, *aliases.get(version.digest, ())})))
        for version in versions
    ]
    digests = {version.digest for version in registered}
    lost = {version.digest: version for version in live.values() if version is not None}
    return registered + [
        ModelVersion(version.number, version.day, digest, tuple(sorted(aliases[digest])))
        for digest, version in lost.items()
        if digest not in digests
    ]


def digests_to_keep(versions: Iterable[ModelVersion], models: Mapping[date, str | None], oldest: date) -> set[str]:
    """Return the digests of the models to keep: models with an alias, models of a day from `oldest` on, and models that
    share a day with one of these.

    A day has one row, so when one model of a day is kept, the others of that day are kept too.

    Args:
        versions: all versions in the registry.
        models: digest of the model of each day in the lake; None for a day without a model.
        oldest: the first day whose models are not old.
    """
    versions = list(versions)
    by_day: dict[date, set[str]] = {}
    for day, digest in [*models.items(), *((version.day, version.digest) for version in versions)]:
        if digest is not None:
            by_day.setdefault(day, set()).add(digest)
    kept = {version.digest for version in versions if version.aliases}
    kept |= {digest for day, digests in by_day.items() if day >= oldest for digest in digests}
    while more := {digest for digests in by_day.values() if digests & kept for digest in digests} - kept:
        kept |= more
    return kept


def versions_to_remove(
    versions: Iterable[ModelVersion], models: Mapping[date, str | None], oldest: date
) -> list[ModelVersion]:
    """Return the versions whose models are not kept, lowest first; see `digests_to_keep`."""
    versions = list(versions)
    kept = digests_to_keep(versions, models, oldest)
    return sorted((version for version in versions if version.digest not in kept), key=lambda version: version.number)


def model_days_to_keep(versions: Iterable[ModelVersion], models: Mapping[date, str | None], oldest: date) -> set[date]:
    """Return the days whose rows are kept in the tables of models, because a model of the day is kept; see
    `digests_to_keep`."""
    versions = list(versions)
    kept = digests_to_keep(versions, models, oldest)
    return {day for day, digest in models.items() if digest in kept} | {
        version.day for version in versions if version.digest in kept
    }


def days_to_expire(days: Iterable[date], needed: Set[date], oldest: date) -> list[date]:
    """Return the days of a table whose rows are removed, ascending: all days before `oldest` that are not needed."""
    return sorted(day for day in set(days) - needed if day < oldest)


def versions_to_keep(commits: Sequence[Commit], needs: Collection[tuple[date, int]]) -> NeededVersions:
    """Return the smallest set of versions of a table that has each needed day with the needed fingerprint.

    Args:
        commits: every commit of the table whose log still exists, without gaps, the newest last.
        needs: (day, fingerprint) of each day that must stay readable and is no longer in the newest version.
    """
    spans: dict[tuple[date, int], tuple[int, int]] = {}
    replaced: dict[date, int] = {}
    for commit in reversed(commits):
        for day, fingerprint in commit.fingerprints.items():
            last = replaced.get(day, commits[-1].version + 1) - 1
            spans.setdefault((day, fingerprint), (commit.version, last))
            replaced[day] = commit.version
    versions: dict[int, list[date]] = {}
    newest = -1
    for need in sorted((need for need in set(needs) if need in spans), key=lambda need: spans[need][1]):
        first, last = spans[need]
        if newest < first:
            newest = last
        versions.setdefault(newest, []).append(need[0])
    return NeededVersions(versions, sorted(need for need in set(needs) if need not in spans))


def version_at(commits: Sequence[Commit], moment: datetime) -> int | None:
    """Return the version of a table at a moment: the newest commit up to then; None when the table or its log begins
    later.
    """
    return max((commit.version for commit in commits if commit.time <= moment), default=None)


def unreferenced(written: Mapping[str, datetime], referenced: Set[str], now: datetime) -> list[str]:
    """Return the sorted names that nothing refers to and that were last written longer ago than `MIN_AGE`.

    Args:
        written: time of the last write to each name, with a time zone.
        referenced: names that something refers to.
        now: the current time, with a time zone.
    """
    return sorted(name for name, newest in written.items() if name not in referenced and now - newest > MIN_AGE)
