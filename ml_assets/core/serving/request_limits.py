"""Bounds on the content of a request, so that no request takes more than a few hundredths of a second."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RequestLimits:
    """Bounds on the body of one request.

    earlier_rows: rows in `earlier_rows`. fields: fields of one row; never fewer than the columns of the contract.
    depth: nesting depth of lists and objects. characters: length of one value or name. faults: number of violations
    listed in an answer.
    """

    earlier_rows: int = 1_000
    fields: int = 100
    depth: int = 20
    characters: int = 10_000
    faults: int = 10
