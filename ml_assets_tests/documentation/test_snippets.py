"""Snippets of the how-to guides are valid: fields of YAML, and assets, checks and features in Python."""

import json
import re
from typing import Any

import dagster as dg
import jsonschema
import pandas as pd
import pytest
import yaml

from ml_assets.cli.command_inputs import require_spec
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.defs_yaml.templates import has_template
from ml_assets.definitions import DEFS
from ml_assets.pipeline.attributes import ModelAttributes
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets_tests.test_repository import REPOSITORY

GUIDES = sorted((REPOSITORY / "docs" / "how-to").glob("*.md"))
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
FIELDS = {*ModelSpec.model_fields}
OF_DECISIONS = ("evaluation", "champion", "deployment", "checks")
# The function of this example exists in the reader's project only.
CUSTOM = "shop.features:distance_to_home"


def snippets(language: str) -> list[Any]:
    return [
        pytest.param(text, id=f"{page.stem}-{number}")
        for page in GUIDES
        for number, (kind, text) in enumerate(BLOCK.findall(page.read_text()))
        if kind == language
    ]


def base() -> dict[str, Any]:
    """Return the specification of the demonstration, with what the snippets need besides."""
    attributes = yaml.safe_load((DEFS / "fraud_detection" / "defs.yaml").read_text())["attributes"]
    columns = {"country": {"type": "string"}, "channel": {"type": "string"}, "confirmed_at": {"type": "timestamp"}}
    # The demonstration's days end in the week before today; those of the snippets do not move.
    source = {**attributes["source"], "start": "2026-08-15"}
    return {**attributes, "source": source, "columns": {**attributes["columns"], **columns}}


@pytest.mark.parametrize("text", snippets("yaml"))
def test_fields_of_a_specification_are_valid(text):
    content = yaml.safe_load(
        re.sub(r"^    ?- ", "  - ", text, flags=re.MULTILINE) if text.startswith("    -") else text
    )
    if isinstance(content, list):
        content = {"features": content}
    if not content.keys() <= FIELDS:
        pytest.skip("not a part of a specification")
    if CUSTOM in text:
        content["features"][0]["function"] = "ml_assets.core.features.point_in_time:build_features"
        content["features"] += base()["features"]
    merged = base()
    if "task" in content:
        # The rest of the demonstration is about decisions.
        merged = {name: value for name, value in merged.items() if name not in OF_DECISIONS}
    for field, value in content.items():
        merged[field] = {**merged[field], **value} if field in ("columns", "training", "source") else value
    if has_template(merged):
        # Dagster reads dates as text.
        content = json.loads(json.dumps(merged, default=str))
        jsonschema.Draft202012Validator(ModelAttributes.model_json_schema()).validate(content)
    else:
        ModelSpec.model_validate(merged)


def names_of(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(text, names)
    return names


def snippet(page: str, word: str) -> str:
    (text,) = [text for kind, text in BLOCK.findall((REPOSITORY / "docs" / "how-to" / page).read_text())
               if kind == "python" and word in text]  # fmt: skip
    return text


def test_the_asset_and_the_check_depend_on_assets_of_the_demonstration():
    spec = require_spec("fraud_detection")
    keys = {key for definition in build_assets(spec) for key in definition.keys}
    asset = names_of(snippet("add-an-asset.md", "def fraud_alerts"))["fraud_alerts"]
    check = names_of(snippet("add-a-check.md", "@dg.asset_check"))["few_new_customers"]
    with_resource = names_of(snippet("add-an-asset.md", "class Desk"))["desk_alerts"]
    for definition in (asset, with_resource):
        assert isinstance(definition, dg.AssetsDefinition)
        assert {dep.asset_key for spec in definition.specs for dep in spec.deps} <= keys
    assert with_resource.required_resource_keys == {"lake", "desk", "io_manager"}
    assert {spec.asset_key for spec in check.check_specs} <= keys
    assert set(re.findall(r'"(\w+_by_\w+)"', snippet("add-a-check.md", "@dg.asset_check"))) <= {*spec.feature_names()}


def test_the_feature_has_a_value_for_each_row():
    function = names_of(snippet("add-a-feature.md", "def distance_to_home"))["distance_to_home"]
    history = pd.DataFrame({"event_time": [1, 2], "customer_id": [7, 7], "position": [1.0, 5.0]})
    rows = pd.DataFrame({"customer_id": [7, 8], "position": [4.0, 2.0]}, index=[10, 11])
    made = function(rows, history)
    assert list(made.index) == [10, 11]
    assert made["distance_to_home"].iloc[0] == 3.0
    assert made["distance_to_home"].isna().iloc[1]
