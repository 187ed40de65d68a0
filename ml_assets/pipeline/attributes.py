"""The attributes of a defs.yaml as Dagster reads them: a specification, or one that has templates to resolve first."""

import re
from collections.abc import Mapping
from typing import Any

import dagster as dg
from pydantic import RootModel, model_validator

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.defs_yaml.templates import MARK, accept_templates, has_template
from ml_assets.core.model_spec.json_schema import documented_schema
from ml_assets.resources.dagster_internals.component_documents import positions_in_errors

_ENV = re.compile(r"\benv\.(\w+)")


class ModelAttributes(RootModel[Any]):
    """The attributes of a ModelPipeline; each value may be a template, which is resolved before the attributes are
    validated.
    """

    @model_validator(mode="before")
    @classmethod
    def _validate(cls, attributes: object) -> object:
        return attributes if has_template(attributes) else ModelSpec.model_validate(attributes)

    @classmethod
    def model_json_schema(cls, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Return the schema of the specification, in which each value may be a template."""
        return accept_templates(documented_schema())


def resolve_attributes(attributes: ModelAttributes, context: dg.ResolutionContext) -> ModelSpec:
    """Resolve the templates in attributes, such as `{{ env.FEED }}` and those of a `template_vars_module`.

    Args:
        attributes: of one component.
        context: has the names that templates may use, and the lines of the file.

    Raises:
        ValueError: when an environment variable in a template is not set, or the result is not a valid specification.
    """
    if isinstance(attributes.root, ModelSpec):
        return attributes.root
    resolved = _resolve(attributes.root, context.at_path("attributes"))
    with positions_in_errors(context, "attributes"):
        return ModelSpec.model_validate(resolved)


def _resolve(value: Any, context: dg.ResolutionContext) -> Any:
    # Dagster would also read texts without a template as Python literals: "1" in a list of choices as a number.
    if isinstance(value, Mapping):
        return {name: _resolve(part, context.at_path(name)) for name, part in value.items()}
    if isinstance(value, list):
        return [_resolve(part, context.at_path(number)) for number, part in enumerate(value)]
    if not isinstance(value, str) or MARK not in value:
        return value
    for name in _ENV.findall(value):
        if getattr(context.scope["env"], name) is None:
            field = ".".join(map(str, context.path[1:]))
            raise ValueError(
                f"{field}: {value}: the environment variable {name} is not set; set it, also in the file .env, or give "
                f"a default: {MARK} env('{name}', 'default') }}}}"
            )
    return context.resolve_value(value)
