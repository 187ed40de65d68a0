"""Which days, models and files may go: what is old, less what a registered version or an alias still needs."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta

# A run that is just writing files of a model has not committed its row yet.
REST = timedelta(days=1)


@dataclass(frozen=True)
class ModelVersion:
    """A version in the registry: its number, the day that its model is of, the digest of the model, and the aliases
    that point to it.
    """

    number: int
    day: date
    digest: str
    aliases: tuple[str, ...] = ()

    def __str__(self) -> str:
        pointing = f" ({', '.join(self.aliases)})" if self.aliases else ""
        return f"version {self.number} of {self.day}{pointing}"


@dataclass(frozen=True)
class Commit:
    """A commit of a table: its number, when it was made (with a zone), and the fingerprints of the days that it
    replaced.
    """

    version: int
    time: datetime
    fingerprints: Mapping[date, int]


@dataclass(frozen=True)
class NeededVersions:
    """Versions of a table, ascending, each with the days whose files in it have to stay; and what is needed that no
    known version holds.
    """

    versions: dict[int, list[date]]
    lost: list[tuple[date, int]]


def digests_to_keep(versions: Iterable[ModelVersion], models: Mapping[date, str | None], oldest: date) -> set[str]:
    """The digests of the models that stay: those with an alias, those of a day from `oldest` on, and those that share a
    day with one that stays.

    A day has one row, so while one model of a day stays, the others of that day stay too.

    Args:
        versions: all versions in the registry.
        models: digest of the model of each day in the lake; None for a day without a model.
        oldest: the first day whose model is not old.
    """
    versions = list(versions)
    of_day: dict[date, set[str]] = {}
    for day, digest in [*models.items(), *((version.day, version.digest) for version in versions)]:
        if digest is not None:
            of_day.setdefault(day, set()).add(digest)
    kept = {version.digest for version in versions if version.aliases}
    kept |= {digest for day, digests in of_day.items() if day >= oldest for digest in digests}
    while more := {digest for digests in of_day.values() if digests & kept for digest in digests} - kept:
        kept |= more
    return kept


def versions_to_remove(
    versions: Iterable[ModelVersion], models: Mapping[date, str | None], oldest: date
) -> list[ModelVersion]:
    """The versions whose models do not stay, lowest first; see `digests_to_keep`."""
    versions = list(versions)
    kept = digests_to_keep(versions, models, oldest)
    return sorted((version for version in versions if version.digest not in kept), key=lambda version: version.number)


def model_days_to_keep(versions: Iterable[ModelVersion], models: Mapping[date, str | None], oldest: date) -> set[date]:
    """The days whose rows about models stay, because a model of that day stays; see `digests_to_keep`."""
    versions = list(versions)
    kept = digests_to_keep(versions, models, oldest)
    return {day for day, digest in models.items() if digest in kept} | {
        version.day for version in versions if version.digest in kept
    }


def days_to_expire(held: Iterable[date], needed: Set[date], oldest: date) -> list[date]:
    """The days of a table, ascending, whose rows go: those before `oldest` that nobody needs."""
    return sorted(day for day in set(held) - needed if day < oldest)


def versions_to_keep(commits: Sequence[Commit], needs: Collection[tuple[date, int]]) -> NeededVersions:
    """As few versions of a table as hold each needed day with the fingerprint that is needed.

    Args:
        commits: every commit of the table whose log is still there, without a gap, the newest last.
        needs: (day, fingerprint) of each day that has to stay readable and is no longer in the table as it is.
    """
    spans: dict[tuple[date, int], tuple[int, int]] = {}
    replaced: dict[date, int] = {}
    for commit in reversed(commits):
        for day, made in commit.fingerprints.items():
            last = replaced.get(day, commits[-1].version + 1) - 1
            spans.setdefault((day, made), (commit.version, last))
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
    """The version that a table had at a moment: the newest commit up to it; None when the table, or its log, begins
    later.
    """
    return max((commit.version for commit in commits if commit.time <= moment), default=None)


def unreferenced(written: Mapping[str, datetime], referenced: Set[str], now: datetime) -> list[str]:
    """What nothing refers to and was last written longer ago than REST, sorted.

    Args:
        written: when the newest part of each was written, with a zone.
        referenced: what something still refers to.
        now: the time, with a zone.
    """
    return sorted(name for name, newest in written.items() if name not in referenced and now - newest > REST)
