"""A specification with other settings of training than it states: what a search found, or what one run is asked to
use.
"""

from collections.abc import Mapping

from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.training import Parameters, Training


def with_training(spec: ModelSpec, settings: Mapping[str, object]) -> ModelSpec:
    """The specification with other values of some settings of training.

    Args:
        spec: the model.
        settings: value by name: a parameter of `training.parameters`, or another field of `training` such as rounds.

    Raises:
        ValueError: when a name or value is not allowed; it names all of them, each with what is allowed.
    """
    parameters = {name: value for name, value in settings.items() if name in Parameters.model_fields}
    others = {name: value for name, value in settings.items() if name not in parameters}
    stated = spec.training.model_dump()
    try:
        training = Training.model_validate({**stated, **others, "parameters": {**stated["parameters"], **parameters}})
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, ('training', *one['loc'])))}: {one['msg']}, not {one['input']!r}"
            for one in error.errors()
        ]
        raise ValueError(f"{spec.name}: {'; '.join(wrong)}") from error
    return spec.model_copy(update={"training": training})
