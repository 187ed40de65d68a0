"""A model is compared with a champion of an earlier day only: any other is itself, unknown, or has seen the rows."""

from datetime import date

import pytest

from ml_assets.core.evaluation.champion_eligibility import Champion, why_not_comparable

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
def test_a_champion_that_says_nothing_about_the_model_is_not_compared(champion, reason):
    assert reason in (why_not_comparable(champion, "mine", DAY) or "")


def test_a_champion_of_an_earlier_day_is_compared():
    assert why_not_comparable(Champion(3, "other", date(2025, 3, 9)), "mine", DAY) is None
