"""A YAML file is parsed, or refused with the line and the reason, whatever its bytes are."""

import pytest

from ml_assets.core.model_spec.defs_yaml.document import SpecFileError
from ml_assets.core.model_spec.defs_yaml.parser import parse_documents
from ml_assets.core.model_spec.defs_yaml.reader import read_spec

# PyYAML 6.0.4 has a bound of its own, which is noticed first.
NESTED = "(lists and mappings are nested more than 50 deep|.* exceeded maximum nesting depth)"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ":1: the file has no content"),
        (b"- a\n", ":1: the file must be a mapping with type and attributes, not a list"),
        (b"type: x\nattributes:\n", ":2: attributes are missing"),
        (b"type: x\nattributes: [1]\n", ":2: attributes must be a mapping, not a list"),
        (b"type: x\n---\ntype: y\n", ":3: a second document begins here; one model is read"),
        (b"type: x\nattributes: {name: caf\xe9}\n", ":2: the file is not UTF-8"),
        (b"type: *x\n", ":1: this is not valid YAML"),
        (b"a: !!python/object:os.system {}\n", ":1: this is not valid YAML"),
        (b"a: [1\nb: 2\n", ":2: this is not valid YAML"),
        (b"a: 1\nb: \x07\n", r":2: this is not valid YAML: the character U\+0007 is not allowed"),
        (b"a: 1\nb: \0\n", r":2: .* U\+0000 is not allowed; the file may be damaged, or in another encoding"),
        (b"a: 1\nb:\n\tc: 1\n", ":3: this is not valid YAML: .*indented with spaces, not with tabs"),
        (b"type: x\nattributes:\n  a: {{ env.X }}\n", ":3: a: a name must be text; a template is written in quotes"),
        (b"# nothing\n", ":1: the file has no content"),
        (b"---\n---\n", ":1: the file has no content"),
        (b"hello", ":1: the file must be a mapping with type and attributes, not text"),
        ("type: x\n".encode("utf-16"), ":1: the file is UTF-16 or UTF-32"),
        (b"[" * 3_000, f":1: {NESTED}"),
        (b"[" * 100_000 + b"]" * 100_000, f":1: {NESTED}"),
        (b"a:\n  " + b"- " * 20_000 + b"x", ":2: lists and mappings are nested more than 50 deep"),
        (b"- [" + b"x," * 50_000 + b"]", ":1: the file has more than 50,000 values"),
        (b"--- {a: 1}\n" * 101, ":101: the file has more than 100 documents"),
        (b"a: " + b"x" * (1 << 20), ":1: the file has more than 1,048,576 bytes"),
        (b"a: &a [*a]\n", ":1: with its aliases, this is nested more than 50 deep, or a part of itself"),
        (b"a:\n  b: 'text\n", ":3: this is not valid YAML: while scanning a quoted scalar found unexpected end"),
        (b"type: x\nattributes:\n  a: !!bool maybe\n", ":3: this is not valid YAML: 'maybe' cannot be read as bool"),
        (b"a: 1\nb: !!int ''\n", ":2: this is not valid YAML: '' cannot be read as int"),
        (b"b: !!timestamp x\n", ":1: this is not valid YAML: 'x' cannot be read as timestamp"),
    ],
)
def test_a_file_that_is_not_a_specification_is_refused(tmp_path, content, message):
    path = tmp_path / "defs.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecFileError, match=f"{path}{message}"):
        read_spec(path)


def test_anchors_and_merged_mappings_are_read(tmp_path):
    path = tmp_path / "defs.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: &a {x: 1, y: [2]}\nb: {<<: *a, x: 3}\nc: *a\n")
    (document,) = parse_documents(path)
    assert document.content == {"a": {"x": 1, "y": [2]}, "b": {"x": 3, "y": [2]}, "c": {"x": 1, "y": [2]}}


def test_documents_without_content_are_left_out(tmp_path):
    path = tmp_path / "defs.yaml"
    path.write_text("# first\n---\na: 1\n---\n---\n# second\nb: 2\n---\n")
    documents = parse_documents(path)
    assert [(document.content, document.position, document.line) for document in documents] == [
        ({"a": 1}, 0, 3),
        ({"b": 2}, 1, 7),
    ]
