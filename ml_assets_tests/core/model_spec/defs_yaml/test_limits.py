"""A few lines of YAML cannot stand for more than memory holds, and what is no file is not read."""

import os
import time

import pytest

from ml_assets.core.model_spec.defs_yaml.document import SpecFileError
from ml_assets.core.model_spec.defs_yaml.parser import parse_documents


def multiplied(line, members):
    """Ten lines, each of which stands for nine times the one before it."""
    lines = [f"  a0: &a0 {members}"]
    for number in range(1, 10):
        lines.append(f"  a{number}: &a{number} {line.format(','.join([f'*a{number - 1}'] * 9))}")
    return "\n".join(["type: x", "attributes:", *lines])


@pytest.mark.parametrize("text", [multiplied("[{}]", "[x]"), multiplied("{{<<: [{}]}}", "{x: 1}")])
def test_aliases_that_stand_for_too_much_are_refused_at_once(tmp_path, text):
    path = tmp_path / "defs.yaml"
    path.write_text(text)
    begin = time.monotonic()
    with pytest.raises(SpecFileError, match=r":\d+: with its aliases, this stands for more than 50,000 values"):
        parse_documents(path)
    assert time.monotonic() - begin < 1


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "defs.yaml")
    with pytest.raises(SpecFileError, match=r"defs\.yaml:1: this is not a file that can be read"):
        parse_documents(tmp_path / "defs.yaml")
    with pytest.raises(SpecFileError, match=":1: this is not a file that can be read"):
        parse_documents(tmp_path)
