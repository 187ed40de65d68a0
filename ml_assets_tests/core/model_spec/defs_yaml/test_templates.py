"""Templates are found wherever they are, and a JSON schema accepts them as values."""

import pytest

from ml_assets.core.model_spec.defs_yaml.templates import TEMPLATE, accept_templates, has_template

REFERENCE = {"$ref": "#/$defs/Template"}


@pytest.mark.parametrize("value", ["{{ env.X }}", "a/{{ x }}/b", {"a": [1, {"b": "{{ x }}"}]}, ["{{ x }}"]])
def test_a_template_is_found_in_texts_mappings_and_lists(value):
    assert has_template(value)


@pytest.mark.parametrize("value", ["{day}/*", 3, None, {"{{ x }}": 1}, ["a"]])
def test_other_values_are_no_templates(value):
    assert not has_template(value)


def test_values_accept_templates_and_names_of_kinds_do_not():
    number = {"type": "number", "minimum": 0, "description": "A share."}
    schema = {"properties": {"share": number, "kind": {"const": "window"}, "text": {"type": "string"}}}
    accepting = accept_templates(schema)
    assert accepting["$defs"] == {"Template": TEMPLATE}
    share = accepting["properties"]["share"]
    assert share == {"description": "A share.", "if": REFERENCE, "else": {"type": "number", "minimum": 0}}
    assert accepting["properties"]["kind"] == {"const": "window"}
    assert accepting["properties"]["text"] == {"type": "string"}


def test_optional_fields_lists_and_mappings_accept_templates_on_every_level():
    optional = {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]}
    accepting = accept_templates({"properties": {"a": optional}, "additionalProperties": {"enum": ["x"]}})
    items = {"type": "array", "items": {"if": REFERENCE, "else": {"type": "integer"}}}
    conditions = [{"if": {"type": "array"}, "then": items}]
    assert accepting["properties"]["a"]["else"] == {"type": ["array", "null"], "allOf": conditions}
    assert accepting["additionalProperties"] == {"if": REFERENCE, "else": {"enum": ["x"]}}


def test_a_pattern_of_text_is_left_to_the_specification():
    assert accept_templates({"properties": {"a": {"type": "string", "pattern": "^x$"}}})["properties"]["a"] == {}
