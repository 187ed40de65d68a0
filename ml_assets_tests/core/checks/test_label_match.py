"""Labels that belong to no row fail the check above a share."""

from datetime import date

import pytest

from ml_assets.core.checks.label_match import evaluate_label_match
from ml_assets.core.model_spec.checks.data_checks import LabelMatchCheck
from ml_assets.core.validation.label_match import LabelMatch

FIRST = date(2026, 1, 1)


def test_the_check_fails_above_its_share_and_hints_at_the_form():
    settings = LabelMatchCheck(max_unmatched_share=0.1)
    examples = [{"label": "2", "row": "002", "difference": "leading zeros"}]
    failed = evaluate_label_match("label_match", settings, FIRST, LabelMatch(12, 2, 0, 2, examples))
    assert failed.failed
    assert failed.reason == (
        "2 of 10 labels belong to no row (20.00%, at most 10.00% pass); the keys of 2 differ from a row's key in "
        "form only, such as '2' from '002' (leading zeros); the rows of 2 more may be outside the lake"
    )
    assert evaluate_label_match("label_match", settings, FIRST, LabelMatch(10, 1, 0, 0, examples)).passed
    assert evaluate_label_match("label_match", settings, FIRST, LabelMatch(3, 0, 0, 3)).passed is None
    assert evaluate_label_match("label_match", settings, FIRST, None).passed is None


@pytest.mark.parametrize(
    ("before", "passed"), [([12] * 14, False), ([12] * 13 + [0], None), ([9] * 14, None), ([12] * 13, None)]
)
def test_a_day_without_labels_fails_only_where_labels_came_every_day(before, passed):
    outcome = evaluate_label_match("label_match", LabelMatchCheck(), FIRST, None, before)
    assert outcome.passed is passed
    assert outcome.reason == (
        "no labels were delivered, but on each of the 14 days before, 168 in all"
        if passed is False
        else "no labels were delivered"
    )
