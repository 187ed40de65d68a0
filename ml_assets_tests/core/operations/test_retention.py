"""Retention removes what is old and never what is needed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.operations.retention import (
    Commit,
    ModelVersion,
    days_to_expire,
    digests_to_keep,
    model_days_to_keep,
    unreferenced,
    version_at,
    versions_to_keep,
    versions_to_remove,
    with_live_versions,
)
from ml_assets.core.release.release_state import Version

pytestmark = pytest.mark.clock

NOW = datetime(2025, 6, 1, tzinfo=UTC)


def day(number: int) -> date:
    return date(2025, 1, 1) + timedelta(days=number - 1)


def commit(version: int, **days: int) -> Commit:
    """A commit of days d1, d2, ... with fingerprints, an hour after the one before."""
    return Commit(version, NOW + timedelta(hours=version), {day(int(name[1:])): built for name, built in days.items()})


def test_old_models_without_an_alias_are_removed():
    versions = [
        ModelVersion(1, day(1), "a"),
        ModelVersion(2, day(2), "b", ("champion",)),
        ModelVersion(3, day(3), "c"),
        ModelVersion(4, day(9), "d"),
    ]
    models = {version.day: version.digest for version in versions} | {day(4): None}
    assert [version.number for version in versions_to_remove(versions, models, oldest=day(5))] == [1, 3]
    assert digests_to_keep(versions, models, oldest=day(5)) == {"b", "d"}
    assert model_days_to_keep(versions, models, oldest=day(5)) == {day(2), day(9)}
    assert str(versions[1]) == "version 2 of 2025-01-02 (champion)"


def test_a_model_that_a_recent_day_shares_is_kept():
    versions, models = [ModelVersion(1, day(1), "same")], {day(1): "same", day(9): "same"}
    assert versions_to_remove(versions, models, oldest=day(5)) == []


def test_models_of_one_day_are_kept_together():
    # Day 1 was made again: its row is about b, the alias still points to a.
    versions = [ModelVersion(1, day(1), "a", ("champion",)), ModelVersion(2, day(1), "b")]
    assert versions_to_remove(versions, {day(1): "b"}, oldest=day(5)) == []
    assert model_days_to_keep(versions, {day(1): "b"}, oldest=day(5)) == {day(1)}


DIGESTS = st.sampled_from("abcdefgh")
DAYS = st.integers(1, 12).map(day)
VERSIONS = st.lists(st.tuples(DAYS, DIGESTS, st.booleans()), max_size=8, unique_by=lambda entry: entry[1]).map(
    lambda result: [
        ModelVersion(n, of, digest, ("live",) if alias else ()) for n, (of, digest, alias) in enumerate(result, 1)
    ]
)


@given(VERSIONS, st.dictionaries(DAYS, DIGESTS | st.none()), DAYS)
def test_needed_models_are_never_removed(versions, models, oldest):
    gone = versions_to_remove(versions, models, oldest)
    assert not any(version.aliases or version.day >= oldest for version in gone)
    staying = [version for version in versions if version not in gone]
    # Looked at again after they went, nothing more goes, and every row about a version that stays is kept.
    assert versions_to_remove(staying, models, oldest) == []
    kept = model_days_to_keep(staying, models, oldest)
    assert {version.day for version in staying} | {
        of for of, digest in models.items() if digest in {v.digest for v in staying}
    } <= kept
    # A row that stays never names a model whose files go.
    assert {models[of] for of in kept if models.get(of)} <= digests_to_keep(staying, models, oldest)


@given(st.sets(DAYS), st.sets(DAYS), DAYS)
def test_needed_and_recent_days_are_never_removed(present, needed, oldest):
    gone = days_to_expire(present, needed, oldest)
    assert gone == sorted(gone)
    assert set(gone) == {of for of in present if of < oldest and of not in needed}


def test_the_kept_versions_are_few_and_have_every_needed_day():
    commits = [
        commit(0),
        commit(1, d1=11, d2=21),
        commit(2, d3=31),
        commit(3, d2=22),
        commit(4, d1=12),
        commit(5, d3=32),
    ]
    # Day 2 as 21 is in versions 1 and 2, day 1 as 11 in 1 to 3, day 3 as 31 in 2 to 4.
    result = versions_to_keep(commits, {(day(2), 21), (day(1), 11), (day(3), 31)})
    assert {version: sorted(days) for version, days in result.versions.items()} == {2: [day(1), day(2), day(3)]}
    assert result.lost == []


def test_needed_days_without_a_version_are_reported():
    commits = [commit(7, d1=12), commit(8, d2=21)]
    result = versions_to_keep(commits, {(day(1), 11), (day(2), 21)})
    assert (result.versions, result.lost) == ({8: [day(2)]}, [(day(1), 11)])


COMMITS = st.lists(st.dictionaries(st.integers(1, 4), st.integers(1, 3), max_size=2), min_size=1, max_size=10)


@given(COMMITS, st.sets(st.tuples(st.integers(1, 4), st.integers(1, 3)), max_size=6))
def test_each_needed_day_is_in_a_kept_version_or_reported_as_lost(changes, wanted):
    commits = [
        Commit(version, NOW, {day(n): built for n, built in change.items()}) for version, change in enumerate(changes)
    ]
    needs = {(day(n), built) for n, built in wanted}
    result = versions_to_keep(commits, needs)
    states, state = [], {}
    for commit in commits:
        state = {**state, **commit.fingerprints}
        states.append(state)
    served = {(of, states[version][of]) for version, days in result.versions.items() for of in days}
    assert served | set(result.lost) == needs
    assert not any(states[version].get(of) == built for of, built in result.lost for version in range(len(commits)))


@pytest.mark.parametrize(("hours", "version"), [(0.5, 0), (1, 1), (1.5, 1), (99, 2)])
def test_the_version_of_a_moment_is_the_newest_commit_up_to_it(hours, version):
    assert version_at([commit(0), commit(1), commit(2)], NOW + timedelta(hours=hours)) == version


def test_there_is_no_version_before_the_first_commit():
    assert version_at([commit(5)], NOW) is None


def test_unreferenced_files_are_removed_after_a_day():
    ages = {"referenced": 9, "resting": 1, "garbage": 2, "another": 3}
    written = {name: NOW - timedelta(days=days) for name, days in ages.items()}
    assert unreferenced(written, {"referenced"}, NOW) == ["another", "garbage"]


def test_versions_that_the_ledger_has_live_get_an_alias_also_when_the_registry_lost_them():
    versions = [ModelVersion(1, date(2025, 3, 1), "one"), ModelVersion(2, date(2025, 3, 2), "two", ("champion",))]
    live = {"champion": Version(1, "one", date(2025, 3, 1)), "previous": Version(9, "gone", date(2025, 2, 1))}
    assert with_live_versions(versions, {**live, "challenger": None}) == [
        ModelVersion(1, date(2025, 3, 1), "one", ("champion",)),
        ModelVersion(2, date(2025, 3, 2), "two", ("champion",)),
        ModelVersion(9, date(2025, 2, 1), "gone", ("previous",)),
    ]
