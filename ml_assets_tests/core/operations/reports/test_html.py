"""The page shows problems first, is self-contained, and escapes all text."""

import time
import timeit
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.operations.reports.daily_report import Bars, Part, Report, Table
from ml_assets.core.operations.reports.html import format_value, render

DAY = date(2025, 3, 1)
NASTY = "<script>alert('x')</script>\"&"


class Elements(HTMLParser):
    """The elements, attributes and texts of a page."""

    def __init__(self, page: bytes):
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)

    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def report(text: str = "plain") -> Report:
    outcomes = [
        CheckOutcome("files_read", DAY, True, "3 files were read whole"),
        CheckOutcome(
            "row_count",
            DAY,
            False,
            f"half the rows of {text}",
            lines=[{text: text, "count": 12_345, "share": 0.123456, "none": None}],
        ),
        CheckOutcome("no_gaps", DAY, None, "no day before"),
        CheckOutcome("column_drift", DAY, False, "amount drifted", "warn", [{"column": text, "psi": 3.25}]),
    ]
    bars = Bars(text, {str(DAY - timedelta(days=back)): 100.0 * (back % 3) for back in range(28, -1, -1)}, str(DAY))
    part = Part(
        "validated_data",
        DAY,
        "published",
        facts={"rows_landed": 9_600, text: text},
        tables=[Table(text, [{"file": text, "reason": text}])],
        bars=[bars],
        outcomes=outcomes,
        plots={text: b"png"},
        provenance={"fingerprint": text},
    )
    return Report("fraud", DAY, [part])


def test_equal_reports_give_equal_bytes_also_when_read_back():
    again = Report("fraud", DAY, [Part.from_json(part.to_json()) for part in report().parts])
    assert render(report()) == render(report()) == render(again)


def test_values_names_and_files_are_text_whatever_is_in_them():
    page = Elements(render(report(NASTY)))
    assert "script" not in page.names
    assert NASTY in page.text()
    assert set(page.names) == set(Elements(render(report())).names)


# A name that ends so is that of a drift check, which has a section of its own; the others would be one key with those
# of `report`.
@given(
    st.text(min_size=1, max_size=30).filter(
        lambda text: not text.endswith("_drift") and text not in ("count", "share", "none", "rows_landed")
    )
)
def test_no_text_changes_the_elements_of_the_page(text):
    assert Elements(render(report(text))).names == Elements(render(report())).names


def test_the_page_is_self_contained():
    page = Elements(render(report()))
    assert {"script", "link", "iframe", "object"} & set(page.names) == set()
    addresses = [value or "" for name, value in page.attributes if name in ("src", "href", "action")]
    assert addresses
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert b"http" not in render(report())


def test_the_verdict_and_failed_checks_come_first():
    text = Elements(render(report())).text()
    places = [
        text.index(words)
        for words in (
            "Flagged",
            "the rows are published; checks found 1 error and 1 warning",
            "error row count",
            "Data quality",
        )
    ]
    assert places == sorted(places)
    assert text.index("warning column drift of validated data") < text.index("Data quality")
    assert text.index("Drift") < text.index("Provenance")


def test_an_empty_report_is_a_page():
    assert "the rows of the day have no report" in Elements(render(Report("fraud", DAY, []))).text()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (float("nan"), ""),
        (True, "yes"),
        (12_345, "12,345"),
        (0.123456, "0.1235"),
        (98_765.4, "98,765"),
        ("a" * 500, "a" * 399 + "…"),
        ([1], "[1]"),
    ],
)
def test_values_are_shown_as_people_read_them(value, text):
    assert format_value(value) == text


def test_a_page_takes_milliseconds():
    # The least of some measurements: on a busy machine the same work takes longer.
    timings = timeit.repeat(lambda: render(report()), timer=time.process_time, number=5, repeat=10)
    assert min(timings) / 5 < 0.02
