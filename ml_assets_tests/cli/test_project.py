"""Definitions of a project that cannot be loaded are refused with the file at fault."""

from types import SimpleNamespace

import click
import pytest
import yaml

from ml_assets.cli import project
from ml_assets_tests.conftest import SMALL


def test_models_of_one_name_are_named_with_their_files(tmp_path, monkeypatch):
    for folder in ("small", "other"):
        (tmp_path / folder).mkdir()
        content = {"type": "ml_assets.ModelPipeline", "attributes": SMALL}
        (tmp_path / folder / "defs.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setattr(project, "current_project", lambda: SimpleNamespace(is_own=False, defs=tmp_path))
    with pytest.raises(click.UsageError, match="two models have one name") as refused:
        project.load_definitions()
    assert f"{tmp_path}/other/defs.yaml" in refused.value.message
    assert "small is also the name of the model" in refused.value.message
