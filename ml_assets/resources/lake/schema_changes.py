"""Differences between the schema of a specification and that of its table."""

from typing import TYPE_CHECKING

from ml_assets.resources.lake.errors import LakeError

if TYPE_CHECKING:
    import pyarrow as pa


def compare_schemas(uri: str, specified: "pa.Schema", current: "pa.Schema") -> "tuple[list[pa.Field], list[pa.Field]]":
    """Return the columns that a table does not have yet, and those that the specification no longer has.

    The latter stay in the table, null from now on.

    Args:
        uri: URI of the table, for the message.
        specified: schema that the specification gives the table.
        current: schema of the table.

    Raises:
        LakeError: when a column has another type in the table.
    """
    import pyarrow as pa

    for field in specified:
        index = current.get_field_index(field.name)
        if index >= 0 and current.field(index).type != field.type:
            raise LakeError(
                f"{uri}: column {field.name} is {current.field(index).type} in the table, but the specification now "
                f"makes it {field.type}. A table keeps the types of its columns: give the column another name, or "
                "remove the table's directory to make its days again."
            )
    missing = [field for field in specified if current.get_field_index(field.name) < 0]
    dropped = [pa.field(field.name, field.type) for field in current if specified.get_field_index(field.name) < 0]
    return missing, dropped
