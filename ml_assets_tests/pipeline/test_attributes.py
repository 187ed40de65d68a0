"""Templates resolve in every field of a defs.yaml, and what is wrong after that is named with its line."""

import click
import dagster as dg
import pytest
import yaml
from dagster._utils.error import serializable_error_info_from_exc_info

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.attributes import ModelAttributes, resolve_attributes
from ml_assets.resources.dagster_internals.serialized_errors import ComponentMessageError
from ml_assets_tests.pipeline.test_component import TYPE, load_project

VALUES = {
    "files": "feeds/{day}/*",
    "rounds": 7,
    "minimum": 0.6,
    "is_stratified": True,
    "kind": "integer",
    "choices": [0, 1],
    "key": ["id"],
    "window": "4d",
    "more": [{"kind": "column", "columns": ["amount"]}],
}


def context(**variables: object) -> dg.ResolutionContext:
    return dg.ResolutionContext.default().with_scope(**variables)


def resolve(attributes: dict, **variables: object) -> ModelSpec:
    return resolve_attributes(ModelAttributes.model_validate(attributes), context(**variables))


def templated(small: dict) -> dict:
    """The small specification with templates in texts, numbers, choices, lists, durations and whole features."""
    small["source"]["files"] = "{{ files }}"
    small["training"] |= {"rounds": "{{ rounds }}", "window": "{{ window }}"}
    small["gates"] = {"roc_auc": {"minimum": "{{ minimum }}"}}
    small["columns"]["id"]["type"] = "{{ kind }}"
    small["columns"]["label"]["allowed"] = "{{ choices }}"
    small["columns"]["amount"]["blocking"] = "{{ is_stratified }}"
    small["row_key"] = "{{ key }}"
    small["features"] = "{{ more }}"
    return small


def test_templates_resolve_in_fields_of_every_type(small):
    spec = resolve(templated(small), **VALUES)
    assert spec.source.files == VALUES["files"]
    assert spec.training.rounds == VALUES["rounds"]
    assert spec.training.window.days == 4
    assert spec.gates["roc_auc"].minimum == VALUES["minimum"]
    assert spec.columns["id"].type == "integer"
    assert spec.columns["label"].allowed == [0, 1]
    assert spec.columns["amount"].blocking
    assert spec.row_key == ["id"]
    assert spec.feature_names() == ["amount"]


def test_environment_variables_are_read_as_numbers_and_booleans_where_the_field_is_one(small, monkeypatch):
    monkeypatch.setenv("ROUNDS", "9")
    monkeypatch.setenv("BLOCKING", "true")
    small["training"]["rounds"] = "{{ env.ROUNDS }}"
    small["columns"]["amount"]["blocking"] = "{{ env.BLOCKING }}"
    small["columns"]["card"]["allowed"] = ["1", "2"]
    spec = resolve(small)
    assert (spec.training.rounds, spec.columns["amount"].blocking) == (9, True)
    # A text without a template is no template, although Python would read it as a number.
    assert spec.columns["card"].allowed == ["1", "2"]


def test_a_variable_that_is_not_set_is_named_with_its_field(small, monkeypatch):
    monkeypatch.delenv("FEED", raising=False)
    small["source"]["files"] = "{{ env.FEED }}/{day}/*"
    with pytest.raises(ValueError, match=r"source\.files: .* environment variable FEED is not set; set it") as raised:
        resolve(small)
    assert "{{ env('FEED', 'default') }}" in str(raised.value)
    small["source"]["files"] = "{{ env('FEED', 'feeds') }}/{day}/*"
    assert resolve(small).source.files == "feeds/{day}/*"


@pytest.mark.parametrize(
    ("change", "line", "problem"),
    [
        ({"rounds": "{{ env.ROUNDS }}"}, "rounds", "training.rounds: Input should be a valid integer"),
        ({"rounds": "{{ env.NOTHING }}"}, "rounds", "training.rounds: {{ env.NOTHING }}: the environment variable"),
        ({"rounds": "{{ nothing }}"}, "rounds", "training.rounds: {{ nothing }}: UndefinedError: 'nothing' not found"),
        ({"colour": "red"}, "colour", "training.colour: there is no such field"),
        ({"windw": "3d"}, "windw", "training.windw: there is no such field; did you mean window?"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line_and_nothing_else(
    small, tmp_path, monkeypatch, change, line, problem
):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ROUNDS", "many")
    monkeypatch.delenv("NOTHING", raising=False)
    small["training"] |= change
    text = yaml.safe_dump({"type": TYPE, "attributes": small})
    number = next(number for number, row in enumerate(text.splitlines(), 1) if row.strip().startswith(f"{line}:"))
    with pytest.raises(ComponentMessageError) as refused:
        load_project(tmp_path, f"resolved_{abs(hash(problem))}", text)
    assert f"defs.yaml:{number}: {problem}" in str(refused.value)
    shown = serializable_error_info_from_exc_info((type(refused.value), refused.value, refused.tb))
    assert (shown.message, shown.stack, shown.cause) == (f"{refused.value}\n", [], None)


def test_the_problems_of_all_files_are_shown_by_file_and_line_with_the_first_one(small, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    documents = [{**small, "name": name, "target": "x"} for name in ("first", "second")]
    other = tmp_path / "several_files" / "defs" / "another" / "defs.yaml"
    other.parent.mkdir(parents=True)
    other.write_text(yaml.safe_dump({"type": TYPE, "attributes": {**small, "name": "another", "colour": "red"}}))
    text = "---\n".join(yaml.safe_dump({"type": TYPE, "attributes": attributes}) for attributes in documents)
    with pytest.raises(ComponentMessageError) as refused:
        load_project(tmp_path, "several_files", text)
    shown = serializable_error_info_from_exc_info((type(refused.value), refused.value, refused.tb)).message
    several = other.parents[1] / "model" / "defs.yaml"
    numbers = [number for number, row in enumerate(text.splitlines(), 1) if row == "  target: x"]
    assert [line.partition(": ")[0].rpartition(":")[0] for line in shown.splitlines()] == [
        str(other),
        *[str(several)] * 2,
    ]
    assert [line.split(":")[1] for line in shown.splitlines()[1:]] == [str(number) for number in numbers]
    # The command line names the problems of other models by itself.
    assert str(refused.value) == shown.splitlines()[0]


def test_template_variables_of_a_module_and_post_processing_of_a_file_are_applied(small, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "with_variables" / "defs" / "model").mkdir(parents=True)
    (tmp_path / "with_variables" / "defs" / "model" / "variables.py").write_text(
        "import dagster as dg\n\n@dg.template_var\ndef rounds() -> int:\n    return 11\n"
    )
    small["training"]["rounds"] = "{{ rounds }}"
    tag = {"target": "*", "operation": "merge", "attributes": {"tags": {"team": "fraud"}, "group_name": "risk"}}
    content = {
        "type": TYPE,
        "template_vars_module": ".variables",
        "attributes": small,
        "post_processing": {"assets": [tag]},
    }
    definitions = load_project(tmp_path, "with_variables", yaml.safe_dump(content))
    resources = dict.fromkeys(
        ("lake", "landing", "registry", "tracking", "deploy_target"), dg.ResourceDefinition.none_resource()
    )
    definitions = dg.Definitions.merge(definitions, dg.Definitions(resources=resources))
    graph = definitions.resolve_asset_graph()
    nodes = [graph.get(key) for key in graph.get_all_asset_keys()]
    assert {(node.tags["team"], node.tags["model"], node.group_name) for node in nodes} == {("fraud", "small", "risk")}
    assert len(definitions.resolve_job_def("small_daily").asset_layer.selected_asset_keys) == len(nodes)


def test_the_schema_accepts_templates_everywhere_and_still_refuses_wrong_values(small):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(ModelAttributes.model_json_schema())
    assert list(validator.iter_errors(templated(small))) == []
    for wrong in ({"colour": "red"}, {"row_key": "id"}, {"owners": 3}, {"gates": {"roc_auc": {"minimum": "high"}}}):
        assert list(validator.iter_errors({**small, **wrong})), wrong


def test_dg_check_defs_leaves_misspelt_fields_to_the_component_and_check_yaml_refuses_them(small):
    jsonschema = pytest.importorskip("jsonschema")
    group = pytest.importorskip("dagster_dg_cli.cli").cli
    outer = click.Context(group, info_name="dg")
    check = group.get_command(outer, "check")
    inner = click.Context(check, outer, "check")
    refused = {}
    for name in ("yaml", "defs"):
        with click.Context(check.get_command(inner, name), inner, name):
            validator = jsonschema.Draft202012Validator(ModelAttributes.model_json_schema())
        refused[name] = not validator.is_valid({**small, "row_keys": ["id"]})
    assert refused == {"yaml": True, "defs": False}
