"""Overrides of the training settings of a specification: the result of a search, or the settings of one run."""

from collections.abc import Mapping

from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.rules.training_rules import check_training
from ml_assets.core.model_spec.training import Parameters, Training


def with_training(spec: ModelSpec, settings: Mapping[str, object]) -> ModelSpec:
    """Return the specification with some training settings overridden.

    Args:
        spec: the model.
        settings: values by name, of parameters in `training.parameters` or of other fields of `training` such as
            rounds.

    Raises:
        ValueError: names every invalid name and value and the allowed ones, or the first setting that does not fit the
            task.
    """
    parameters = {name: value for name, value in settings.items() if name in Parameters.model_fields}
    others = {name: value for name, value in settings.items() if name not in parameters}
    stated = spec.training.model_dump()
    try:
        training = Training.model_validate({**stated, **others, "parameters": {**stated["parameters"], **parameters}})
    except ValidationError as error:
        messages = [
            f"{'.'.join(map(str, ('training', *details['loc'])))}: {details['msg']}, not {details['input']!r}"
            for details in error.errors()
        ]
        raise ValueError(f"{spec.name}: {'; '.join(messages)}") from error
    changed = spec.model_copy(update={"training": training})
    target, names = changed.columns[changed.target], changed.feature_names()
    try:
        check_training(changed.outputs, training, target, changed.numeric_features(), names)
    except ValueError as error:
        raise ValueError(f"{spec.name}: {error}") from error
    return changed
