"""Differences between the schema of a specification and that of its table."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_assets.resources.lake.errors import LakeError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class SchemaChange:
    """The difference between the schema of a table and the schema of the specification.

    Attributes:
        missing: columns that the table does not have yet.
        dropped: columns that the specification no longer has; they stay in the table, null from now on.
        replaced: by name of a specified column, the column of the table that conflicts with it: it has another type, or
            a name that differs only in upper and lower case, which tables do not distinguish. Replacing it requires a
            new version of the table.
    """

    missing: "list[pa.Field]"
    dropped: "list[pa.Field]"
    replaced: "dict[str, pa.Field]"

    def refuse_replaced(self, uri: str, specified: "pa.Schema", names: Iterable[str]) -> None:
        """Refuse to read columns whose values the table does not have yet.

        Args:
            uri: URI of the table, for the message.
            specified: schema of the specification.
            names: names of the columns to read.

        Raises:
            LakeError: names the first replaced column among them, and what to do.
        """
        for name in names:
            if (present := self.replaced.get(name)) is not None:
                raise LakeError(
                    f"{uri}: the specification has a column {name} of type {specified.field(name).type}, the table "
                    f"still has {present.name} of type {present.type}. Materialize the days again; the first of them "
                    "starts a new version of the table."
                )


def compare_schemas(specified: "pa.Schema", current: "pa.Schema") -> SchemaChange:
    """Compare the schema that a specification gives a table with the schema that the table has."""
    import pyarrow as pa

    in_table = {field.name.lower(): pa.field(field.name, field.type) for field in current}
    missing, replaced = [], {}
    for field in specified:
        present = in_table.get(field.name.lower())
        if present is None:
            missing.append(field)
        elif present.name != field.name or present.type != field.type:
            replaced[field.name] = present
    names = {field.name.lower() for field in specified}
    return SchemaChange(missing, [field for name, field in in_table.items() if name not in names], replaced)
