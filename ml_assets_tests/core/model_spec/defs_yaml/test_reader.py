"""A specification that is not valid is refused with the file, the line, the field and the reason."""

import copy
from pathlib import Path

import pytest
import yaml

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.defs_yaml.document import SpecFileError
from ml_assets.core.model_spec.defs_yaml.reader import read_spec
from ml_assets_tests.conftest import SMALL

LINES = yaml.safe_dump({"type": "ml_assets.ModelPipeline", "attributes": SMALL}, sort_keys=False).splitlines()


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(LINES, 1) if line.strip() == text)


def write(path: Path, old: str, *new: str) -> Path:
    """Write the small specification with one line replaced by others of the same indentation."""
    number = line_of(old)
    indent = LINES[number - 1][: -len(old)]
    path.write_text("\n".join([*LINES[: number - 1], *(indent + line for line in new), *LINES[number:]]))
    return path


def test_a_valid_file_is_read_with_dates_and_durations(tmp_path):
    path = tmp_path / "defs.yaml"
    path.write_text("\n".join(LINES))
    assert read_spec(path) == ModelSpec.model_validate(copy.deepcopy(SMALL))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("target: label", "target: lable", "target: there is no column lable; the columns are"),
        ("label_delay: 2d", "label_delay: 2", "label_delay: 2 is not a duration"),
        ("type: number", "type: numbr", "columns.amount.type: Input should be .*, not 'numbr'"),
        ("minimum: 0", "minimum: low", "columns.amount.minimum: a number is written as 0.8, not 'low'"),
        ("target: label", "late_data: 30d", r"late_data: fields are written as \{name: value\}, not '30d'"),
        ("target: label", "owners: me", r"owners: a list is written as \[first, second\], not 'me'"),
        ("holdout: 2d", "holdout: 0d", "evaluation.holdout: "),
        ("bootstrap_samples: 20", "bootstrap: 20", "evaluation.bootstrap: there is no such field"),
        ("value: amount", "valeu: amount", r"features\[1\].valeu: there is no such field"),
        ("entity: card", "entity: no", 'entity: .* YAML reads no as a boolean; put it in quotes, "no"'),
        ("entity: card", "entity: 2024", 'entity: .* YAML reads 2024 as a number; put it in quotes, "2024"'),
        ("start: '2025-01-01'", "start: 30.08.2026", "source.start: a day is written as 2026-11-28, not '30.08.2026'"),
        ("name: small", "name: Small", "name: .*'Small'"),
        ("target: label", "\ttarget: label", "this is not valid YAML"),
    ],
)
def test_a_problem_is_named_with_file_line_field_and_reason(tmp_path, old, new, message):
    path = write(tmp_path / "defs.yaml", old, new)
    with pytest.raises(SpecFileError, match=f"{path}:{line_of(old)}: {message}"):
        read_spec(path)


def test_every_problem_has_a_line_of_its_own(tmp_path):
    path = write(tmp_path / "defs.yaml", "label_delay: 2d", "label_delay: 2", "labels_delay: 2d")
    with pytest.raises(SpecFileError) as refused:
        read_spec(path)
    number = line_of("label_delay: 2d")
    first, second = str(refused.value).splitlines()
    assert first.startswith(f"{path}:{number}: label_delay: ")
    assert second == f"{path}:{number + 1}: labels_delay: there is no such field; did you mean label_delay?"


def test_problems_are_sorted_by_line(tmp_path):
    path = write(tmp_path / "defs.yaml", "holdout: 2d", "holdout: x", "colour: red")
    path.write_text(path.read_text().replace("name: small", "naem: small").replace("  target: label\n", ""))
    with pytest.raises(SpecFileError) as refused:
        read_spec(path)
    lines = [int(line.removeprefix(f"{path}:").partition(":")[0]) for line in str(refused.value).splitlines()]
    assert len(set(lines)) == 4
    assert lines == sorted(lines)


def test_a_field_that_is_missing_is_named(tmp_path):
    path = write(tmp_path / "defs.yaml", "target: label")
    with pytest.raises(SpecFileError, match=r"defs.yaml:\d+: target: the field is missing"):
        read_spec(path)


@pytest.mark.parametrize(
    ("name", "kind"), [("no", "a boolean"), ("On", "a boolean"), ("2024", "a number"), ("~", "null")]
)
def test_a_name_that_yaml_does_not_read_as_text_needs_quotes(tmp_path, name, kind):
    path = write(tmp_path / "defs.yaml", "card:", f"{name}: {{type: string}}", "card:")
    message = f'{path}:{line_of("card:")}: columns.{name}: YAML reads {name} as {kind}; put it in quotes, "{name}"'
    with pytest.raises(SpecFileError, match=message):
        read_spec(path)
    assert name in read_spec(write(path, "card:", f'"{name}": {{type: string}}', "card:")).columns


def test_a_rule_between_features_and_columns_names_the_line_of_the_feature(tmp_path):
    path = write(tmp_path / "defs.yaml", "value: amount", "value: card")
    with pytest.raises(
        SpecFileError, match=rf":{line_of('- kind: window')}: features\[1\] \(window\): card is a string"
    ):
        read_spec(path)


def test_a_name_like_a_date_is_text(tmp_path):
    assert "2024-01-01" in read_spec(write(tmp_path / "d", "card:", "2024-01-01: {type: string}", "card:")).columns


def test_a_name_that_is_defined_twice_is_refused(tmp_path):
    path = write(tmp_path / "defs.yaml", "card:", "amount: {type: string}", "card:")
    with pytest.raises(SpecFileError, match=rf"columns.amount: the name is also on line {line_of('card:')}"):
        read_spec(path)
