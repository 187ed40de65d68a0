"""The label in effect on a day does not depend on the order in which labels were delivered."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.features.label_join import RowLabels
from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.support.changed_spec import with_task

pytestmark = pytest.mark.clock

LABELS = {"files": "labels/{day}/*", "key": ["id"]}
SPEC = ModelSpec.model_validate({**SMALL, "labels": LABELS})
FIRST = date(2025, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


def delivered(*labels: tuple[int, int, str]) -> pd.DataFrame:
    """Build delivered labels from (id, label, known at)."""
    frame = pd.DataFrame(labels, columns=["id", "label", "known_at"])
    return frame.assign(known_at=pd.to_datetime(frame["known_at"], utc=True))


def row_labels(spec: ModelSpec = SPEC, ids: tuple[int, ...] = (1, 2, 3)) -> RowLabels:
    return RowLabels(spec, pd.DataFrame({"id": ids}))


def labels_on(rows: RowLabels, as_of: date) -> list:
    return [None if pd.isna(value) else int(value) for value in rows.column(as_of)]


def test_a_label_takes_effect_on_the_day_of_its_file():
    rows = row_labels()
    rows.add(day(5), delivered((2, 1, "2025-01-03T12:00")))
    assert [labels_on(rows, day(4)), labels_on(rows, day(5))] == [[None, None, None], [None, 1, None]]


def test_a_label_takes_effect_on_the_day_it_became_known_if_its_file_is_of_an_earlier_day():
    rows = row_labels()
    rows.add(day(1), delivered((1, 1, "2025-01-08T00:00")))
    assert [labels_on(rows, day(7)), labels_on(rows, day(8))] == [[None, None, None], [1, None, None]]


def test_the_day_on_which_a_label_became_known_is_that_of_the_time_zone():
    spec = ModelSpec.model_validate(
        {**SMALL, "labels": LABELS, "source": {**SMALL["source"], "time_zone": "Asia/Tokyo"}}
    )
    rows = row_labels(spec)
    rows.add(day(1), delivered((1, 1, "2025-01-07T16:00")))
    assert [labels_on(rows, day(7)), labels_on(rows, day(8))] == [[None, None, None], [1, None, None]]


def test_a_correction_replaces_a_label_from_its_day_on():
    rows = row_labels()
    rows.add(day(3), delivered((1, 1, "2025-01-03"), (2, 0, "2025-01-03")))
    rows.add(day(6), delivered((1, 0, "2025-01-06")))
    assert [labels_on(rows, day(5)), labels_on(rows, day(6))] == [[1, 0, None], [0, 0, None]]


def test_an_older_label_that_is_delivered_again_does_not_undo_a_correction():
    rows = row_labels()
    rows.add(day(3), delivered((1, 1, "2025-01-03")))
    rows.add(day(4), delivered((1, 0, "2025-01-04")))
    rows.add(day(5), delivered((1, 1, "2025-01-03")))
    assert labels_on(rows, day(5)) == [0, None, None]


def test_the_last_delivered_of_labels_known_at_the_same_moment_is_in_effect():
    rows = row_labels()
    rows.add(day(4), delivered((1, 0, "2025-01-03")))
    rows.add(day(3), delivered((1, 1, "2025-01-03")))
    assert labels_on(rows, day(4)) == [0, None, None]


def test_labels_of_other_rows_are_ignored():
    rows = row_labels()
    rows.add(day(3), delivered((9, 1, "2025-01-03")))
    assert labels_on(rows, day(3)) == [None, None, None]
    assert rows.digest(day(3)) == row_labels().digest(day(3))


def test_a_row_without_a_label_is_negative_if_the_files_hold_only_positives():
    spec = ModelSpec.model_validate({**SMALL, "labels": {**LABELS, "unlabelled": "negative"}})
    rows = row_labels(spec)
    rows.add(day(3), delivered((2, 1, "2025-01-03")))
    assert labels_on(rows, day(3)) == [0, 1, 0]


def test_a_boolean_target_stays_boolean():
    columns = {**SMALL["columns"], "label": {"type": "boolean"}}
    spec = ModelSpec.model_validate({**SMALL, "columns": columns, "labels": LABELS})
    rows = row_labels(spec)
    rows.add(day(3), delivered((2, 1, "2025-01-03")).astype({"label": bool}))
    assert rows.column(day(3)).dtype == "boolean"
    assert labels_on(rows, day(3)) == [None, 1, None]


def test_several_columns_name_a_row_together():
    spec = ModelSpec.model_validate({**SMALL, "labels": {**LABELS, "key": ["id", "card"]}})
    rows = RowLabels(spec, pd.DataFrame({"id": [1, 1], "card": ["a", "b"]}))
    rows.add(day(3), delivered((1, 1, "2025-01-03")).assign(card="b"))
    assert labels_on(rows, day(3)) == [None, 1]


def test_rows_with_the_same_key_have_the_same_label():
    rows = row_labels(ids=(7, 8, 7))
    rows.add(day(3), delivered((7, 1, "2025-01-03")))
    assert labels_on(rows, day(3)) == [1, None, 1]


def test_a_row_without_a_key_has_no_label():
    rows = RowLabels(SPEC, pd.DataFrame({"id": pd.array([1, None, 2], "Int64")}))
    rows.add(day(3), delivered((2, 1, "2025-01-03")))
    assert labels_on(rows, day(3)) == [None, None, 1]
    spec = ModelSpec.model_validate({**SMALL, "labels": {**LABELS, "key": ["id", "card"]}})
    rows = RowLabels(spec, pd.DataFrame({"id": [1, 1], "card": [None, "b"]}))
    rows.add(day(3), delivered((1, 1, "2025-01-03")).assign(card="b"))
    assert labels_on(rows, day(3)) == [None, 1]


def test_a_day_without_rows_has_no_labels():
    rows = row_labels(ids=())
    rows.add(day(3), delivered((1, 1, "2025-01-03")))
    assert labels_on(rows, day(3)) == []


A_LABEL = st.tuples(st.integers(1, 3), st.integers(0, 1), st.integers(0, 9).map(lambda n: f"2025-01-{n + 1:02d}"))


@given(
    st.dictionaries(
        st.integers(1, 9), st.lists(A_LABEL, max_size=4, unique_by=lambda label: (label[0], label[2])), max_size=5
    ),
    st.randoms(),
)
def test_order_of_delivery_and_later_labels_do_not_change_earlier_days(deliveries, random):
    in_order, shuffled, until_day_5 = row_labels(), row_labels(), row_labels()
    for number, labels in sorted(deliveries.items()):
        in_order.add(day(number), delivered(*labels))
    for number, labels in random.sample(sorted(deliveries.items()), len(deliveries)):
        shuffled.add(day(number), delivered(*random.sample(labels, len(labels))))
        if number <= 5:
            until_day_5.add(day(number), delivered(*labels))
    assert all(labels_on(in_order, day(n)) == labels_on(shuffled, day(n)) for n in range(1, 11))
    assert labels_on(in_order, day(5)) == labels_on(until_day_5, day(5))
    assert in_order.digest(day(5)) == until_day_5.digest(day(5))


def test_a_label_is_late_if_it_first_takes_effect_after_the_delay_and_a_correction_is_not():
    rows = row_labels()
    rows.add(day(3), delivered((1, 1, "2025-01-03")))
    rows.add(day(5), delivered((1, 0, "2025-01-05"), (2, 0, "2025-01-05")))
    rows.add(day(9), delivered((3, 1, "2025-01-09")))
    assert rows.count_late(day(4), day(2)) == (0, 0)
    assert rows.count_late(day(4), day(4)) == (0, 1)
    assert rows.count_late(day(4), day(8)) == (1, 2)
    assert rows.count_late(day(4), day(9)) == (2, 3)


def test_keys_that_differ_only_after_a_nul_character_are_different_keys():
    columns = {**SMALL["columns"], "id": {"type": "string"}}
    for key in (["id"], ["id", "card"]):
        spec = ModelSpec.model_validate({**SMALL, "columns": columns, "labels": {**LABELS, "key": key}})
        rows = RowLabels(spec, pd.DataFrame({"id": ["a\0b", "a\0c", "a\x01\x02b"], "card": ["x"] * 3}))
        rows.add(day(2), delivered(("a\0c", 1, "2025-01-02"), ("a\x01\x02b", 0, "2025-01-02")).assign(card="x"))
        assert labels_on(rows, day(2)) == [None, 1, 0]


@pytest.mark.parametrize(
    ("column", "changes", "labels", "expected"),
    [
        ({"type": "number"}, {"task": "regression"}, [1.25, -3.5], [1.25, -3.5, None]),
        ({"type": "string"}, {"task": "multiclass", "classes": ["a", "b"]}, ["b", "a"], ["b", "a", None]),
        ({"type": "string", "allowed": ["no", "yes"]}, {"positive": "yes"}, ["yes", "no"], ["yes", "no", "no"]),
        ({"type": "boolean"}, {"positive": False}, [False, True], [False, True, True]),
    ],
)
def test_labels_of_any_task_are_joined(column, changes, labels, expected):
    """A row without a label has none, or the label of the negative class."""
    task = changes.get("task", "binary")
    attributes = with_task(SMALL, task) if task != "binary" else SMALL
    unlabelled = "negative" if task == "binary" else "exclude"
    parts = {"columns": {**SMALL["columns"], "label": column}, "labels": {**LABELS, "unlabelled": unlabelled}}
    spec = ModelSpec.model_validate({**attributes, **parts, **changes})
    rows = row_labels(spec)
    known = pd.Timestamp("2025-01-01T09:00", tz="UTC")
    rows.add(day(1), pd.DataFrame({"id": [1, 2], "label": labels, "known_at": known}))
    joined = rows.column(day(2))
    assert [None if pd.isna(value) else value for value in joined] == expected
    assert rows.digest(day(2)) != row_labels(ModelSpec.model_validate({**attributes, **parts, **changes})).digest(
        day(2)
    )
