"""Text in columns of other types, such as bytes and UUIDs, and text that is not valid Unicode."""

# pyarrow creates the functions of its compute module at run time, so type checkers do not know them.
# pyright: reportAttributeAccessIssue=false

import re
from uuid import UUID

import pyarrow as pa

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# A byte order mark, or four ASCII characters without one.
_WIDE_ENCODINGS = {
    "utf-16 or utf-32": re.compile(rb"\xff\xfe|\xfe\xff|\x00\x00\xfe\xff"),
    "utf-16-le": re.compile(rb"([^\x00]\x00){4}"),
    "utf-16-be": re.compile(rb"(\x00[^\x00]){4}"),
}


def decode(column: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Return the text of a column of text or bytes; other columns are not changed.

    UUIDs become their usual text. Bytes are text if they are UTF-8 without control characters.

    Returns:
        (column, unreadable): unreadable describes each value that is not text, which is null in the column; it is null
            elsewhere, or None if there are no such values.
    """
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column, is_uuid = column.storage, isinstance(kind, pa.UuidType)
        if is_uuid:
            values = column.to_pylist()
            return pa.array([None if value is None else str(UUID(bytes=value)) for value in values], pa.string()), None
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _check_unicode(column)
    if (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    ):
        return _decode_bytes(column.to_pylist(), is_text=False)
    return column, None


def escape(text: str) -> str:
    r"""Return text with escapes for parts that are not Unicode: \ud83d for a lone surrogate, \xfc for a byte that is
    not UTF-8.

    Such bytes are kept by Python's error handler surrogateescape.
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _check_unicode(column: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    try:
        # The Parquet reader accepts invalid UTF-8 as text, and the error only occurs when the text is used.
        column.validate(full=True)
    except pa.ArrowInvalid:
        kind = pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary()
        return _decode_bytes(column.view(kind).to_pylist(), is_text=True)
    return column.cast(pa.string()), None


def _decode_bytes(values: list[bytes | None], is_text: bool) -> tuple[pa.Array, pa.Array | None]:
    texts, unreadable = [], []
    for value in values:
        try:
            text = None if value is None else value.decode("utf-8")
        except UnicodeDecodeError:
            text = None
        if text is not None and not is_text and _CONTROL.search(text):
            text = None
        texts.append(text)
        is_broken = value is not None and text is None
        unreadable.append(_describe(value, is_text) if is_broken else None)  # type: ignore[arg-type]
    broken = any(text is not None for text in unreadable)
    return pa.array(texts, pa.string()), pa.array(unreadable, pa.string()) if broken else None


def _describe(value: bytes, is_text: bool) -> str:
    if is_text:
        return value.decode("utf-8", "backslashreplace")
    return f"0x{value.hex()} (bytes that are not UTF-8 text)"


def recognize_wide_encoding(content: bytes) -> str | None:
    """Return the encoding of a text whose characters have two or four bytes, by its beginning; None for other files."""
    return next((encoding for encoding, pattern in _WIDE_ENCODINGS.items() if pattern.match(content)), None)
