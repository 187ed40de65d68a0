"""The reader of JSON lines: every column as text, as in the file, and the content that is not a row."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate

import pyarrow as pa

from ml_assets.core.ingestion.json_columns import JsonColumns
from ml_assets.core.ingestion.json_reader import decode_at, json_text, loads
from ml_assets.core.ingestion.limits import check_limit
from ml_assets.core.ingestion.parsed_file import ParsedFile
from ml_assets.core.ingestion.values.text_decoding import escape
from ml_assets.core.model_spec.types.file_limits import DEFAULT_LIMITS, FileLimits

_BLOCK = 1 << 20
_BOM = b"\xef\xbb\xbf"
_BETWEEN_OBJECTS = re.compile(r"(?<=\})[\s,\[\]]*(?=\{)")
_DOCUMENT = re.compile(rb"(?:\xef\xbb\xbf)?\s*+(\[|\{\s*?\n)")
_SPACE = re.compile(r"[ \t\n\r]*")
_QUOTED, _BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL), re.compile(r"[\[\]{}]")


def parse_json_lines(
    content: bytes, needed: Collection[str] | None = None, limits: FileLimits = DEFAULT_LIMITS
) -> ParsedFile:
    """Read a file of JSON lines.

    Values become text: numbers keep their digits, true and false their words, lists and objects their JSON. NaN is a
    missing value. Infinities, text that is not valid Unicode, and a name that occurs twice in an object with different
    values are unreadable.

    Several objects on one line are rows. An array counts as one broken row for each of its elements, and the rest of a
    line after an error as one broken row for each object that begins in it.

    Args:
        content: the bytes of the file.
        needed: names of the columns to read; all by default.
        limits: the limits of the file.

    Raises:
        LimitExceeded: when the file exceeds one of its limits.
    """
    columns = JsonColumns(needed)
    broken: list[str] = []
    for lines in _blocks_of_lines(content, limits):
        rows: list[dict[str, object]] = []
        for line in lines:
            if not line.strip():
                continue
            _read_line(line.removesuffix("\r"), rows, broken, limits)
        columns.add(rows)
        check_limit(limits, "rows", columns.rows + len(broken), is_exact=False)
        check_limit(limits, "columns", len(columns.names), is_exact=False)
    texts, unreadable, integers = columns.collect()
    # A struct array has a row count even without columns.
    no_columns = pa.array([{}] * (0 if texts else columns.rows), pa.struct([]))
    table = pa.table(texts) if texts else pa.Table.from_struct_array(no_columns)
    names = [escape(name) for name in columns.names]
    first_problem = _describe_document(content) if broken else None
    broken = [escape(text) for text in broken]
    return ParsedFile(table, names, broken, unreadable, first_problem, integers=integers, may_omit_nulls=True)


def _describe_document(content: bytes) -> str | None:
    """Return the remedy for a file that seems to be one JSON document over several lines; None for other files."""
    if start := _DOCUMENT.match(content):
        kind, script = ("array", " (`jq -c '.[]'`)") if start[1] == b"[" else ("object", " (`jq -c .`)")
        return f"the file seems to be one JSON {kind}: write one object a line{script}"
    return None


def _blocks_of_lines(content: bytes, limits: FileLimits) -> Iterator[Sequence[str]]:
    """Yield the lines of a file in blocks of about one megabyte.

    Python's splitlines also splits at characters such as U+2028, which JSON allows within text. Bytes that are not
    UTF-8 become lone surrogates, and unreadable text of one value.
    """
    start, number = len(_BOM) if content.startswith(_BOM) else 0, 1
    while start < len(content):
        end = content.rfind(b"\n", start, start + _BLOCK) if start + _BLOCK < len(content) else len(content)
        if end < 0:
            end = content.find(b"\n", start + _BLOCK)
            end = len(content) if end < 0 else end
            check_limit(limits, "line_bytes", end - start, f"line {number:,}")
        lines = content[start:end].decode("utf-8", "surrogateescape").split("\n")
        # A character has at most four bytes.
        if max(map(len, lines)) * 4 > limits.line_bytes:
            for position, line in enumerate(lines):
                size = len(line.encode("utf-8", "surrogateescape"))
                check_limit(limits, "line_bytes", size, f"line {number + position:,}")
        yield lines
        start, number = end + 1, number + len(lines)


def _read_line(line: str, rows: list[dict[str, object]], broken: list[str], limits: FileLimits) -> None:
    # Count brackets first: counting is fast, and few lines have that many.
    if line.count("[") + line.count("{") > limits.depth:
        check_limit(limits, "depth", _depth(line))
    try:
        value = loads(line)
    except (ValueError, RecursionError):
        _split_line(line, rows, broken)
        return
    if isinstance(value, dict):
        rows.append(value)
    elif isinstance(value, list) and value:
        broken += [json_text(element) or "null" for element in value]
    else:
        broken.append(line)


def _depth(line: str) -> int:
    """Return the depth of nested lists and objects in a line; brackets within text do not count."""
    brackets = _BRACKET.findall(_QUOTED.sub("", line))
    return max(accumulate(1 if bracket in "[{" else -1 for bracket in brackets), default=0)


def _split_line(line: str, rows: list[dict[str, object]], broken: list[str]) -> None:
    """Add the objects at the beginning of a line that is not one JSON value to `rows`, and the rest to `broken`.

    An object after an error may be part of the broken object, so it counts as a broken row.
    """
    position = _end_of_space(line, 0)
    while position < len(line):
        try:
            value, end = decode_at(line, position)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict):
            break
        rows.append(value)
        position = _end_of_space(line, end)
    broken += [piece for piece in _BETWEEN_OBJECTS.split(line[position:]) if piece.strip()]


def _end_of_space(line: str, position: int) -> int:
    return _SPACE.match(line, position).end()  # type: ignore[union-attr]
