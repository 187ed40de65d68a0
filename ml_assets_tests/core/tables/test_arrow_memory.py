"""Readers of pyarrow get content in memory that Arrow owns."""

import ast
import sys
from pathlib import Path

import ml_assets
from ml_assets.core.tables.arrow_memory import open_content

READERS = {"read_table", "read_schema", "read_metadata", "ParquetFile", "read_csv", "open_csv", "BufferReader"}
FILE_SYSTEMS = {"PyFileSystem", "FSSpecHandler"}


def test_content_is_the_same_in_the_memory_of_arrow():
    content = bytes(range(256)) * 100
    assert open_content(content).read() == content
    assert open_content(b"").read() == b""


def test_opened_content_does_not_refer_to_the_bytes_of_python():
    content = bytes(1000)
    references = sys.getrefcount(content)
    with open_content(content):
        assert sys.getrefcount(content) == references


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _python_sources(source: str) -> list[str]:
    """The calls of a module that give Arrow a file system of Python, or a reader of Arrow a `BytesIO`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    readers = [call for call in calls if _name(call) in READERS and call.args]
    return [_name(call) for call in calls if _name(call) in FILE_SYSTEMS] + [
        _name(reader)
        for reader in readers
        if any(isinstance(node, ast.Call) and _name(node) == "BytesIO" for node in ast.walk(reader.args[0]))
    ]


def test_no_module_gives_a_reader_of_arrow_a_file_of_python():
    root = Path(ml_assets.__file__).parent
    sources = {str(path.relative_to(root)): _python_sources(path.read_text()) for path in root.rglob("*.py")}
    assert {path: calls for path, calls in sources.items() if calls} == {}
    assert _python_sources("pq.read_table(io.BytesIO(content))") == ["read_table"]
    assert _python_sources("PyFileSystem(handler)") == ["PyFileSystem"]
