"""The options of the limits are those of the service, of its documentation and of the chart."""

import json
import re
from dataclasses import asdict

from ml_assets.cli.limit_options import OPTIONS, limits_of
from ml_assets.service.limits import Limits
from ml_assets_tests.test_repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reference" / "serving.md").read_text()
CHART = REPOSITORY / "helm" / "ml-assets"


def name_of(option) -> str:
    return option.name.removeprefix("--")


def test_the_defaults_are_those_of_the_service():
    assert limits_of({name_of(option).replace("-", "_"): option.default for option in OPTIONS}) == Limits()


def test_every_limit_has_an_option_but_those_of_the_environment():
    service = asdict(Limits())
    fields = {*service, *(f"request.{name}" for name in service["request"])}
    assert {option.field for option in OPTIONS} == fields - {"request", "api_key", "per_second", "trusted_proxies"}


def test_the_documentation_has_every_option():
    assert {option.name for option in OPTIONS} <= set(re.findall(r"--[a-z-]+", PAGE))


def test_the_chart_accepts_every_option():
    schema = json.loads((CHART / "values.schema.json").read_text())
    accepted = schema["properties"]["scoring"]["properties"]["limits"]["properties"]
    assert set(accepted) == set(map(name_of, OPTIONS))
