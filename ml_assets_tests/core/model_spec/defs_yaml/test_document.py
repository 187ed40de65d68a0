"""A YAML file is parsed with the line of each field, or refused with the line and the reason."""

import pytest

from ml_assets.core.model_spec.defs_yaml.document import SpecFileError, parse_documents
from ml_assets.core.model_spec.defs_yaml.reader import read_spec


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "defs.yaml"
    path.write_text("a:\n  b.c: 1\n  b:\n    - x\n    - d: 2\n")
    return parse_documents(path)[0]


@pytest.mark.parametrize(
    ("field", "name", "line"),
    [
        (["a", "b", 1, "d"], "a.b[1].d", 5),
        (["a", "kind of a union", "b", 0], "a.b[0]", 4),
        (["a", "missing"], "a.missing", 1),
        ([], "", 1),
    ],
)
def test_a_field_has_a_name_and_a_line(document, field, name, line):
    assert document.locate(field)[:2] == (name, line)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("b.c: too large", ["a", "b.c"]),
        ("b[1].d: too large", ["a", "b", 1, "d"]),
        ("b[1] (window): too large", ["a", "b", 1]),
        ("bcd: too large", ["a"]),
        ("nothing is named", ["a"]),
    ],
)
def test_the_field_that_a_message_names_is_found(document, message, field):
    assert list(document.find_field(["a"], message)) == field


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ":1: the file has no content"),
        (b"- a\n", ":1: the file must be a mapping with type and attributes, not a list"),
        (b"type: x\nattributes:\n", ":2: attributes are missing"),
        (b"type: x\nattributes: [1]\n", ":2: attributes must be a mapping, not a list"),
        (b"type: x\n---\ntype: y\n", ":3: a second document begins here"),
        (b"type: x\nattributes: {name: caf\xe9}\n", ":2: the file is not UTF-8"),
        (b"type: *x\n", ":1: this is not valid YAML"),
        (b"a: !!python/object:os.system {}\n", ":1: this is not valid YAML"),
        (b"a: [1\nb: 2\n", ":2: this is not valid YAML"),
        (b"a: \x07\n", ":1: this is not valid YAML"),
    ],
)
def test_a_file_that_is_not_a_specification_is_refused(tmp_path, content, message):
    path = tmp_path / "defs.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecFileError, match=f"{path}{message}"):
        read_spec(path)
