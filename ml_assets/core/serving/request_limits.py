"""Bounds on what one request may hold, so that no request costs more than a few hundredths of a second."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RequestLimits:
    """Bounds on the body of one request.

    earlier_rows: rows in `earlier_rows`. fields: fields of one row; never fewer than the columns of the contract.
    depth: lists and objects within each other. characters: length of one value or name. faults: violations that an
    answer lists.
    """

    earlier_rows: int = 1_000
    fields: int = 100
    depth: int = 20
    characters: int = 10_000
    faults: int = 10
