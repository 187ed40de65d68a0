"""The specification in a defs.yaml, read without Dagster."""

from pathlib import Path

from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec


def read_spec(path: Path) -> ModelSpec:
    """Read the specification in a defs.yaml.

    Raises:
        ValueError: naming the file and each field that is unknown or not valid, with the reason.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not valid YAML: {error}") from error
    try:
        return ModelSpec.model_validate((content or {}).get("attributes") or {})
    except ValidationError as error:
        problems = [
            f"  attributes.{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise ValueError("\n".join([f"{path} is not a valid specification:", *problems])) from error
