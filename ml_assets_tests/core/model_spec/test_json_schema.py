"""The JSON schema describes every field with its docstring."""

from jsonschema import Draft202012Validator

from ml_assets.core.model_spec.json_schema import documented_schema


def test_every_field_with_a_docstring_has_it_as_description():
    schema = documented_schema()
    assert schema["properties"]["row_key"]["description"].endswith("unique within a day.")
    checkpoint_rounds = schema["$defs"]["Training"]["properties"]["checkpoint_rounds"]
    assert checkpoint_rounds["description"]
    assert checkpoint_rounds["default"] == 50


def test_every_default_is_a_value_that_a_file_may_have():
    schema = documented_schema()
    parts = {"attributes": schema, **schema["$defs"]}
    refused = {
        f"{name}.{field}"
        for name, part in parts.items()
        for field, about in part.get("properties", {}).items()
        if "default" in about
        and not Draft202012Validator({**about, "$defs": schema["$defs"]}).is_valid(about["default"])
    }
    assert refused == set()
    assert schema["$defs"]["Canary"]["properties"]["maximum_days"]["default"] == "60d"
