"""Every number of a specification has a lower and an upper bound, and what lies beyond is refused by name."""

from collections.abc import Iterator

import pytest
import yaml

from ml_assets.core.model_spec.defs_yaml.reader import read_spec
from ml_assets.core.model_spec.json_schema import documented_schema
from ml_assets_tests.conftest import SMALL

UNBOUNDED = {
    "Column.minimum": "a bound of the user's own values, which may be anything",
    "Column.maximum": "a bound of the user's own values, which may be anything",
    "Column.allowed": "the user's own values",
    "ModelSpec.classes": "the user's own values",
    "ModelSpec.positive": "the user's own values",
    "ModelSpec.target": "the user's own values",
}


def numbers(schema: dict) -> Iterator[tuple[str, dict]]:
    """Yield the schema of each number of a field, with the name of its part and field."""
    for part, definition in [("ModelSpec", schema), *schema["$defs"].items()]:
        for name, field in definition.get("properties", {}).items():
            yield from ((f"{part}.{name}", number) for number in _numbers_of(field))


def _numbers_of(node: object) -> Iterator[dict]:
    if isinstance(node, list):
        for part in node:
            yield from _numbers_of(part)
    elif isinstance(node, dict):
        if node.get("type") in ("integer", "number") and not {"const", "enum"} & node.keys():
            yield node
        for name, part in node.items():
            if name not in ("default", "examples"):
                yield from _numbers_of(part)


def is_bounded(number: dict) -> bool:
    lower, upper = {"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}
    return bool(lower & number.keys()) and bool(upper & number.keys())


def test_every_number_has_both_bounds():
    every = list(numbers(documented_schema()))
    assert len(every) > 60
    assert {name for name, number in every if not is_bounded(number)} == UNBOUNDED.keys()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"source": {"files": "{day}/*", "start": "0202-01-01"}}, "source.start: .* 1900-01-01"),
        ({"source": {"files": "{day}/*", "start": "2025-01-01", "end": "9999-01-01"}}, "source.end: .* 2200-12-31"),
        ({"training": {"window": "0d"}}, "training.window: .*longer than 0"),
        ({"training": {"window": "40000d"}}, "training.window: .*the longest duration is 36500d"),
        ({"training": {"window": "-4d"}}, "training.window: .*is not a duration"),
        ({"training": {"window": "4d", "rounds": 10**9}}, "training.rounds: .* 1000000"),
        ({"training": {"window": "4d", "seed": -1}}, "training.seed: .* 0"),
        ({"training": {"window": "4d", "parameters": {"reg_alpha": float("inf")}}}, "training.parameters.reg_alpha: "),
        ({"training": {"window": "4d", "parameters": {"gamma": float("nan")}}}, "training.parameters.gamma: "),
        ({"training": {"window": "4d", "threshold": {"value": 1.5}}}, "training.threshold.value: .* 1"),
        ({"retries": {"ingestion": {"times": -1}}}, "retries.ingestion.times: .* 0"),
        (
            {"retries": {"ingestion": {"longest_delay": "31d"}}},
            "retries.ingestion.longest_delay: .*longest wait is 30d",
        ),
        ({"compute": {"cpu": 1, "max_runtime": "0m"}}, "compute.max_runtime: .*longer than 0"),
        ({"compute": {"cpu": 1, "max_runtime": "36500d"}}, "compute.max_runtime: .*longest wait is 30d"),
        ({"evaluation": {"holdout": "2d", "bootstrap_samples": 10**7}}, "evaluation.bootstrap_samples: .* 100000"),
        ({"gates": {"roc_auc": {"minimum": float("nan")}}}, "gates.roc_auc.minimum: "),
        ({"gates": {"roc_auc": {"minimum": 1e12}}}, "gates.roc_auc.minimum: .* 1000000000"),
        ({"checks": {"row_count": {"tolerance": 40}}}, "checks.row_count.tolerance: .* 1"),
        ({"deployment": {"canary": {"steps": [5, 250, 100]}}}, "deployment.canary.steps.*: .* 100"),
        ({"deployment": {"canary": {"steps": []}}}, "deployment.canary.*must grow"),
        ({"deployment": {"canary": {"steps": [25, 5, 100]}}}, "deployment.canary.*must grow"),
        ({"deployment": {"canary": {"margin": float("inf")}}}, "deployment.canary.margin: "),
        ({"compute": {"cpu": 0}}, "compute.cpu: .* 1"),
        ({"backfill": {"days_per_run": 0}}, "backfill.days_per_run: .* 1"),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_field_and_the_range(changes, sentence, tmp_path):
    path = tmp_path / "defs.yaml"
    path.write_text(yaml.safe_dump({"type": "ml_assets.ModelPipeline", "attributes": {**SMALL, **changes}}))
    with pytest.raises(ValueError, match=sentence):
        read_spec(path)
