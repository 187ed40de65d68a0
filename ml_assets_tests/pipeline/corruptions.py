"""Ways in which a day of card transactions goes wrong, each with the checks that have to fail."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Corruption:
    """A defect of a day: `files` turns its good rows into landed files, and each of `checks` has to fail."""

    name: str
    checks: tuple[str, ...]
    files: Callable[[pd.DataFrame], Files]


def parquet(rows: pd.DataFrame) -> bytes:
    """Write rows as a Parquet file."""
    buffer = io.BytesIO()
    rows.to_parquet(buffer)
    return buffer.getvalue()


def csv(rows: pd.DataFrame, encoding: str = "utf-8") -> bytes:
    """Write rows as a CSV file."""
    return rows.to_csv(index=False).encode(encoding)


def _one(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[pd.DataFrame], Files]:
    return lambda rows: {"rows.parquet": parquet(change(rows.copy()))}


def _with(column: str, value: Callable[[pd.DataFrame], object], share: float = 1.0) -> Callable[[pd.DataFrame], Files]:
    """Replace a column in the first part of the rows."""

    def change(rows: pd.DataFrame) -> pd.DataFrame:
        part = rows.index[: int(len(rows) * share)]
        values = pd.Series(value(rows), index=rows.index)
        rows[column] = rows[column].astype(object).where(~rows.index.isin(part), values) if share < 1 else values
        return rows.infer_objects()

    return _one(change)


def _swapped(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.rename(columns={"customer_id": "terminal_id", "terminal_id": "customer_id"})


def _shifted(hours: int) -> Callable[[pd.DataFrame], Files]:
    return _with("event_time", lambda rows: rows["event_time"] + pd.Timedelta(hours=hours))


def _repeated(times: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        copies = [rows.assign(transaction_id=rows["transaction_id"] + number * 1_000_000) for number in range(times)]
        return pd.concat(copies, ignore_index=True)

    return change


def _leaking(rows: pd.DataFrame) -> pd.Series:
    return rows["is_fraud"] * 500 + np.linspace(1, 90, len(rows))


def _halves(rows: pd.DataFrame, shared: int) -> Files:
    """Write two files of a day that share its first `shared` rows."""
    middle = len(rows) // 2
    return {
        "a.parquet": parquet(rows.iloc[:middle]),
        "b.parquet": parquet(pd.concat([rows.iloc[:shared], rows.iloc[middle:]])),
    }


CORRUPTIONS = (
    Corruption("nulls", ("contract_customer_id",), _with("customer_id", lambda rows: None, 0.05)),
    Corruption("nulls everywhere", ("every_day_accepted", "contract_amount"), _with("amount", lambda rows: np.nan)),
    Corruption("duplicates within a file", ("contract_row_key",), _one(lambda rows: pd.concat([rows, rows.iloc[:60]]))),
    Corruption("duplicates across files", ("contract_row_key",), lambda rows: _halves(rows, 60)),
    Corruption(
        "one key, different rows",
        ("contract_row_key",),
        _one(lambda rows: pd.concat([rows, rows.iloc[:60].assign(amount=1.5)])),
    ),
    Corruption(
        "wrong types",
        ("contract_amount",),
        lambda rows: {"rows.csv": csv(rows.astype({"amount": object}).assign(amount=_texts))},
    ),
    Corruption("values out of range", ("contract_amount",), _with("amount", lambda rows: -rows["amount"], 0.05)),
    Corruption("far out of range", ("contract_amount",), _with("amount", lambda rows: 1e9, 0.02)),
    Corruption("swapped columns", ("column_drift",), _one(_swapped)),
    Corruption("cents for euros", ("column_drift",), _with("amount", lambda rows: rows["amount"] * 100)),
    Corruption("hundreds of euros", ("column_drift",), _with("amount", lambda rows: rows["amount"] / 100)),
    Corruption("an hour late", ("contract_event_time",), _shifted(1)),
    Corruption("two hours early", ("contract_event_time", "column_drift"), _shifted(-2)),
    Corruption("six hours late", ("every_day_accepted", "contract_event_time"), _shifted(6)),
    Corruption("a column that tells the label", ("target_leakage",), _with("amount", _leaking)),
    Corruption("a column with one value", ("column_drift",), _with("amount", lambda rows: 12.5)),
    Corruption(
        "another encoding",
        ("every_day_accepted",),
        lambda rows: {"rows.csv": csv(rows.assign(merchant_category="café"), "latin-1")},
    ),
    Corruption("UTF-16", ("every_day_accepted",), lambda rows: {"rows.csv": csv(rows, "utf-16")}),
    Corruption(
        "doubly encoded text", ("contract_merchant_category",), _with("merchant_category", lambda rows: "cafÃ©", 0.05)
    ),
    Corruption("a file of no bytes", ("every_day_accepted", "files_read"), lambda rows: {"rows.csv": b""}),
    Corruption(
        "a header and no rows", ("every_day_accepted", "files_read"), lambda rows: {"rows.csv": csv(rows.iloc[:0])}
    ),
    Corruption("parquet without rows", ("every_day_accepted", "files_read"), _one(lambda rows: rows.iloc[:0])),
    Corruption(
        "an empty file beside a good one",
        ("files_read",),
        lambda rows: {"a.parquet": parquet(rows), "b.csv": csv(rows.iloc[:0])},
    ),
    Corruption(
        "a torn file", ("every_day_accepted", "files_read"), lambda rows: {"rows.parquet": parquet(rows)[:-2000]}
    ),
    Corruption(
        "a column missing", ("every_day_accepted", "contract_amount"), _one(lambda rows: rows.drop(columns="amount"))
    ),
    Corruption("a new column", ("files_read",), _one(lambda rows: rows.assign(is_fraud_score=rows["is_fraud"] * 0.9))),
    Corruption("ten times the rows", ("row_count",), _one(_repeated(10))),
    Corruption("half of the rows", ("row_count",), _one(lambda rows: rows.iloc[::2])),
    Corruption("the file of the day before", ("every_day_accepted",), _shifted(-24)),
    Corruption("every label positive", ("label_rate",), _with("is_fraud", lambda rows: 1)),
)


def _texts(rows: pd.DataFrame) -> pd.Series:
    return rows["amount"].where(rows.index >= 50, "n/a (offline)")
