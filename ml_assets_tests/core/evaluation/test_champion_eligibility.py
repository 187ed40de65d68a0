"""A model is compared only with a champion of an earlier day that is not the model itself."""

from datetime import date

import pytest

from ml_assets.core.evaluation.champion_eligibility import Champion, explain_ineligibility

DAY = date(2025, 3, 10)


@pytest.mark.parametrize(
    ("champion", "reason"),
    [
        (None, "no champion yet"),
        (Champion(3, "other", None), "no tags"),
        (Champion(3, None, date(2025, 3, 1)), "no tags"),
        (Champion(3, "mine", date(2025, 3, 1)), "is this model"),
        (Champion(3, "other", DAY), "not of a day before 2025-03-10"),
        (Champion(3, "other", date(2025, 3, 11)), "version 3, is of 2025-03-11"),
    ],
)
def test_an_ineligible_champion_is_not_compared(champion, reason):
    assert reason in (explain_ineligibility(champion, "mine", DAY) or "")


def test_a_champion_of_an_earlier_day_is_compared():
    assert explain_ineligibility(Champion(3, "other", date(2025, 3, 9)), "mine", DAY) is None
