"""The JSON schema describes every field with its docstring."""

from ml_assets.core.model_spec.json_schema import documented_schema


def test_every_field_with_a_docstring_has_it_as_description():
    schema = documented_schema()
    assert schema["properties"]["row_key"]["description"].endswith("unique within a day.")
    checkpoint_rounds = schema["$defs"]["Training"]["properties"]["checkpoint_rounds"]
    assert checkpoint_rounds["description"]
    assert checkpoint_rounds["default"] == 50
