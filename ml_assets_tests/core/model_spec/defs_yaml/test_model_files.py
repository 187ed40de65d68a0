"""The models of a folder have a name each, and a broken file does not hide the others."""

import yaml

from ml_assets.core.model_spec.defs_yaml.model_files import find_model_files
from ml_assets_tests.conftest import SMALL


def write(folder, name, content=None, type_name="ml_assets.ModelPipeline"):
    path = folder / name / "defs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(content or yaml.safe_dump({"type": type_name, "attributes": {**SMALL, "name": name}}))
    return path


def states(folder):
    return {file.name: file.problem for file in find_model_files(folder)}


def test_models_are_found_in_subfolders_and_other_components_are_left_out(tmp_path):
    write(tmp_path, "churn")
    write(tmp_path / "cards", "fraud")
    write(tmp_path / ".hidden", "hidden")
    write(tmp_path, "others", yaml.safe_dump({"type": "dagster.DefsFolderComponent", "attributes": {"name": "a"}}))
    assert states(tmp_path) == {"fraud": None, "churn": None}


def test_models_with_templates_and_of_subclasses_are_left_to_their_components(tmp_path):
    write(tmp_path, "churn")
    write(tmp_path, "risk", type_name="shop.components.RiskPipeline")
    templated = {**SMALL, "name": "fraud", "training": {**SMALL["training"], "rounds": "{{ env.ROUNDS }}"}}
    named = {**SMALL, "name": "{{ env.NAME }}"}
    for name, attributes in (("cards", templated), ("returns", named)):
        write(tmp_path, name, yaml.safe_dump({"type": "ml_assets.ModelPipeline", "attributes": attributes}))
    files = {file.name: (file.needs_component, file.spec is None, file.problem) for file in find_model_files(tmp_path)}
    resolved_later = (True, True, None)
    assert files == {
        "churn": (False, False, None),
        "risk": resolved_later,
        "fraud": resolved_later,
        "returns": resolved_later,
    }


def test_a_broken_file_is_named_after_the_model_that_it_states_or_its_folder(tmp_path):
    broken = yaml.safe_dump(
        {"type": "ml_assets.ModelPipeline", "attributes": {**SMALL, "name": "fraud", "target": "x"}}
    )
    write(tmp_path, "cards", broken)
    write(tmp_path, "no-yaml", "a: [")
    write(tmp_path, "churn")
    problems = states(tmp_path)
    assert problems["churn"] is None
    assert "cards/defs.yaml:" in problems["fraud"]
    assert "target: there is no column x" in problems["fraud"]
    assert "no-yaml/defs.yaml:2: this is not valid YAML" in problems["no_yaml"]


def test_of_two_models_with_one_name_the_one_in_the_folder_of_that_name_keeps_it(tmp_path):
    original = write(tmp_path, "fraud")
    copied = write(tmp_path, "copy", original.read_text())
    problems = states(tmp_path)
    assert problems["fraud"] is None
    assert f"{copied}:" in problems["copy"]
    assert f"name: fraud is also the name of the model in {original}" in problems["copy"]


def test_two_models_with_one_name_in_other_folders_are_both_refused(tmp_path):
    text = write(tmp_path / "elsewhere", "fraud").read_text()
    (tmp_path / "elsewhere" / "fraud").rename(tmp_path / "first")
    write(tmp_path, "second", text)
    problems = states(tmp_path)
    assert set(problems) == {"first", "second"}
    assert str(tmp_path / "second" / "defs.yaml") in problems["first"]
    assert str(tmp_path / "first" / "defs.yaml") in problems["second"]


def test_a_broken_copy_does_not_take_the_name_of_the_model(tmp_path):
    text = write(tmp_path, "fraud").read_text()
    write(tmp_path, "copy", text.replace("target: label", "target: x"))
    problems = states(tmp_path)
    assert problems["fraud"] is None
    assert "target" in problems["copy"]


def documents(*models):
    return "---\n".join(
        yaml.safe_dump({"type": "ml_assets.ModelPipeline", "attributes": {**SMALL, **model}}) for model in models
    )


def test_a_file_may_hold_several_models(tmp_path):
    write(tmp_path, "cards", documents({"name": "fraud"}, {"name": "churn"}))
    assert states(tmp_path) == {"fraud": None, "churn": None}


def test_a_broken_document_does_not_hide_the_others_of_its_file(tmp_path):
    text = documents({"name": "fraud"}, {"name": "churn", "target": "x"}, {"name": "loss"})
    path = write(tmp_path, "cards", text + "---\n- a\n---\ntype: ml_assets.ModelPipeline\n")
    problems = states(tmp_path)
    assert (problems["fraud"], problems["loss"]) == (None, None)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if line == "  target: x")
    assert problems["churn"].startswith(f"{path}:{line}: target: there is no column x")
    assert "the document must be a mapping with type and attributes, not a list" in problems["cards_4"]
    assert "attributes are missing" in problems["cards_5"]


def test_two_models_of_a_file_may_not_share_a_name(tmp_path):
    path = write(tmp_path, "fraud", documents({"name": "fraud"}, {"name": "fraud"}))
    problems = states(tmp_path)
    assert problems["fraud"] is None
    assert f"name: fraud is also the name of the model in {path}:1; give" in problems["fraud_2"]


def test_the_folder_of_a_model_does_not_lend_its_name_to_a_broken_document(tmp_path):
    write(tmp_path, "fraud", "- a\n---\n" + documents({"name": "fraud"}))
    problems = states(tmp_path)
    assert problems["fraud"] is None
    assert set(problems) == {"fraud", "fraud_1"}


def test_few_problems_of_a_specification_are_named_and_the_others_counted(tmp_path):
    columns = "".join(f"    c{number}: {{typ: integer}}\n" for number in range(3000))
    write(tmp_path, "wide", f"type: ml_assets.ModelPipeline\nattributes:\n  columns:\n{columns}")
    lines = states(tmp_path)["wide"].splitlines()
    assert len(lines) == 21
    assert lines[-1].endswith("more problems")
