"""Rules for the names of columns, and for the columns that have a role: key, time, target, entity, slices."""

import unicodedata
from collections.abc import Mapping, Sequence

from ml_assets.core.model_spec.source import Column, column_of
from ml_assets.core.model_spec.types.base import RESERVED, check_name, repeated


def check_column_names(columns: Mapping[str, Column]) -> None:
    """Check that tables can have columns of these names, and that no two columns have the same source.

    Raises:
        ValueError: when a name is invalid or reserved, two names differ only by case or Unicode form, or two columns
            have the same source.
    """
    for name in columns:
        check_name("columns", name)
        if name.startswith("_") or name.lower() in RESERVED:
            raise ValueError(
                f"columns.{name}: the pipeline reserves names that begin with _, and {', '.join(RESERVED)}; rename "
                "the column (`source` is its name in the files)"
            )
    by_form: dict[str, str] = {}
    for name in columns:
        if (other := by_form.setdefault(unicodedata.normalize("NFC", name.lower()), name)) == name:
            continue
        if name.lower() == other.lower():
            difference = f"differs from {other} only in upper and lower case, which tables do not distinguish"
        else:
            difference = f"has the characters of another column in another Unicode form ({name!a} and {other!a})"
        raise ValueError(f"columns.{name}: it {difference}; rename one of them (`source` is its name in the files)")
    sources = [column.source or name for name, column in columns.items()]
    if twice := repeated(sources):
        raise ValueError(f"columns: each needs its own source in the files; used more than once: {', '.join(twice)}")


def check_roles(
    columns: Mapping[str, Column],
    row_key: Sequence[str],
    event_time: str,
    target: str,
    entity: str | None,
    slices: Sequence[str],
) -> None:
    """Check that the columns of each role exist and have a type that fits it.

    Raises:
        ValueError: when there is no such column, or its type does not fit, or one column has two roles.
    """
    for role, name in [("event_time", event_time), ("target", target), ("entity", entity)]:
        if name is not None:
            column_of(columns, role, name)
    for field, names in [("row_key", row_key), ("evaluation.slices", slices)]:
        if twice := repeated(names):
            raise ValueError(f"{field}: named more than once: {', '.join(twice)}")
    for name in row_key:
        if column_of(columns, "row_key", name).nullable:
            raise ValueError(f"row_key: {name} is nullable, but a row without a key cannot be identified")
    time = columns[event_time]
    if time.type != "timestamp" or time.nullable:
        raise ValueError(f"event_time: {event_time} must be a timestamp that is not nullable")
    if target in (*row_key, entity):
        raise ValueError(f"target: {target} cannot also be a key")
