"""A name that only looks like a missing column is described by its difference."""

import pytest

from ml_assets.core.ingestion.column_names import describe_lookalikes, describe_missing_columns


@pytest.mark.parametrize(
    ("name", "difference"),
    [
        ("amount ", "'amount ' is not amount: it contains U+0020 SPACE"),
        ("amount\u00a0", "'amount\\xa0' is not amount: it contains U+00A0 NO-BREAK SPACE"),
        ("am\u200bount", "'am\\u200bount' is not amount: it contains U+200B ZERO WIDTH SPACE"),
        ("amount\x00", "'amount\\x00' is not amount: it contains U+0000 control character"),
        ("Amount", "'Amount' is not amount: upper and lower case differ"),
        (
            "\uff41mount",
            "'\\uff41mount' is not amount: white space, invisible characters or the Unicode form of letters",
        ),
    ],
)
def test_a_difference_that_cannot_be_seen_is_described(name, difference):
    (description,) = describe_lookalikes(["amount", "id"], ["label", name])
    assert description.startswith(difference)


def test_forms_of_a_letter_look_alike():
    (description,) = describe_lookalikes(["caf\u00e9"], ["cafe\u0301"])
    assert description == (
        "'cafe\\u0301' is not caf\u00e9: white space, invisible characters or the Unicode form of letters differ"
    )


@pytest.mark.parametrize(
    ("expected", "nearest"), [("Distance", "Distance KM"), ("fare_amunt", "fare_amount"), ("TIP", "tip_paid")]
)
def test_the_nearest_name_is_proposed(expected, nearest):
    columns = ["id", "Distance KM", "fare_amount", "tip_paid"]
    assert describe_missing_columns({"x": expected}, columns).endswith(f"; did you mean {nearest}?")


def test_each_of_several_missing_names_has_its_own_proposal():
    missing = {"fare": "fare_amunt", "n": "n", "tip": "TIP"}
    assert describe_missing_columns(missing, ["id", "fare_amount", "tip_paid", "payment"]).endswith(
        "; did you mean fare_amount for fare_amunt and tip_paid for TIP?"
    )


def test_columns_that_do_not_look_alike_are_only_listed():
    assert describe_missing_columns({"amount": "Betrag"}, ["id", "card"]) == (
        "column missing: amount (as Betrag); the file has id, card"
    )
    assert describe_missing_columns({"id": "id"}, []) == "column missing: id; the file has none"
