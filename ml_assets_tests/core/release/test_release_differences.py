"""Differences of MLflow and the deploy target from the ledger are named, each with its remedy."""

from datetime import date

import pytest

from ml_assets.core.release.registry_state import RegistryState
from ml_assets.core.release.release_differences import (
    deploy_target_differences,
    explain_lost_ledger,
    registry_differences,
    summarize,
)
from ml_assets.core.release.release_state import Release, Version, promote, start

DAY = date(2025, 3, 10)
FIRST, SECOND = (Version(number, f"digest-{number}", date(2025, 3, number)) for number in (1, 2))
LIVE = start(promote(Release(), FIRST), SECOND, 5, DAY)
NUMBERS = {"digest-1": 1, "digest-2": 2}
IN_LINE = RegistryState({"champion": 1, "challenger": 2}, 5, False, 2)
ROW = {"to_version": 1, "to_day": FIRST.day, "to_digest": "digest-1", "release": 1}


def test_a_registry_that_follows_the_ledger_has_no_differences():
    assert registry_differences("fraud", LIVE, IN_LINE, NUMBERS) == []
    assert registry_differences("fraud", Release(), None, {}) == []
    renumbered = RegistryState({"champion": 7, "challenger": 8}, 5, False, 2)
    assert registry_differences("fraud", LIVE, renumbered, {"digest-1": 7, "digest-2": 8}) == []


@pytest.mark.parametrize(
    ("state", "numbers", "sentences"),
    [
        (None, {}, ["MLflow has no registered model fraud (it was deleted), the ledger has champion version 1"]),
        (
            RegistryState({"challenger": 2}, 5, False, 2),
            {"digest-2": 2},
            ["champion is version 1 of 2025-03-01, which is no longer in MLflow: `ml-assets restore fraud`"],
        ),
        (
            RegistryState({"challenger": 2}, 5, False, 2),
            NUMBERS,
            ["the alias champion in MLflow is missing, the ledger has version 1 of 2025-03-01: `ml-assets releases"],
        ),
        (
            RegistryState({"champion": 2, "challenger": 2}, 25, True, 2),
            NUMBERS,
            ["champion in MLflow points to version 2", "the share of the challenger is 25", "the pause of decisions"],
        ),
        (
            RegistryState({"champion": 1}, 0, False, 9),
            NUMBERS,
            ["ends with release 2, but MLflow carried out release 9: check ML_ASSETS_LAKE"],
        ),
    ],
)
def test_what_was_removed_or_moved_in_mlflow_is_named_with_the_command_that_restores_it(state, numbers, sentences):
    differences = registry_differences("fraud", LIVE, state, numbers)
    assert len(differences) == len(sentences)
    assert all(sentence in difference for sentence, difference in zip(sentences, differences, strict=True))


def test_a_renamed_model_is_named():
    (difference,) = registry_differences("fraud", LIVE, None, {}, "old_fraud")
    assert "it was renamed to old_fraud" in difference


def test_only_a_ledger_with_fewer_releases_than_mlflow_has_lost_some():
    assert explain_lost_ledger("fraud", LIVE, IN_LINE) is None
    assert explain_lost_ledger("fraud", Release(), RegistryState({}, release=0)) is None
    assert "fraud/release_ledger" in (explain_lost_ledger("fraud", Release(), IN_LINE) or "")


@pytest.mark.parametrize(
    ("published", "content"),
    [(None, "no complete model"), ({"version": 2, "day": "2025-03-02", "release": 3}, "version 2 of 2025-03-02")],
)
def test_another_model_in_the_deploy_target_is_a_difference(published, content):
    (difference,) = deploy_target_differences("fraud", ROW, published, "s3://bucket")
    assert f"s3://bucket has {content}, the ledger has version 1 of 2025-03-01" in difference
    published = {"release": 1, "model_digest": "digest-1"}
    assert deploy_target_differences("fraud", ROW, published, "s3://bucket") == []
    assert deploy_target_differences("fraud", None, None, "s3://bucket") == []


def test_differences_end_a_message():
    assert (summarize([]), summarize(["a", "b"])) == ("", "; differences from the release ledger: a; b")
