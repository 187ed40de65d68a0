"""A field of a YAML document has a name and a line."""

import pytest

from ml_assets.core.model_spec.defs_yaml.parser import parse_documents


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


def test_a_field_that_replaces_a_merged_one_has_its_own_line(tmp_path):
    path = tmp_path / "defs.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n")
    (document,) = parse_documents(path)
    assert document.content["b"] == {"x": 1, "y": 3}
    assert (document.locate(["b", "x"])[1], document.locate(["b", "y"])[1]) == (1, 4)
