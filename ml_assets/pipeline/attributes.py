"""The attributes of a defs.yaml as Dagster reads them: a specification, possibly with templates to resolve."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import dagster as dg
from dagster.components.core.defs_module import ComponentPath
from pydantic import BaseModel, RootModel, ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.defs_yaml.document import SpecFileError
from ml_assets.core.model_spec.defs_yaml.model_files import component_file, find_model_files
from ml_assets.core.model_spec.defs_yaml.parser import parse_documents
from ml_assets.core.model_spec.defs_yaml.reader import ATTRIBUTES, describe_problems
from ml_assets.core.model_spec.defs_yaml.templates import MARK, accept_templates
from ml_assets.core.model_spec.json_schema import documented_schema
from ml_assets.core.model_spec.rules.renamed_checks import accept_former_names
from ml_assets.pipeline.automation.cron import check_cron_fields
from ml_assets.resources.dagster_internals.serialized_errors import ComponentMessageError

_ENV = re.compile(r"\benv\.(\w+)")


class ModelAttributes(RootModel[Any]):
    """The attributes of a ModelPipeline as written in its file. The component validates them when it resolves their
    templates, with errors that name file, line and field without a stack trace.
    """

    @classmethod
    def model_json_schema(cls, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Return the schema of the specification, in which each value may be a template. Under `dg check defs` it
        accepts everything: the command would stop at errors of the schema, and those of the component say more.
        """
        command = click.get_current_context(silent=True)
        if command and command.command_path.endswith(" check defs"):
            return {"type": "object"}
        return file_schema()


def file_schema() -> dict[str, Any]:
    """Return the JSON schema of the attributes in a file, in which each value may be a template."""
    return accept_templates(accept_former_names(documented_schema()))


def load_attributes(attributes: BaseModel | None, context: dg.ComponentLoadContext) -> ModelSpec:
    """Build the specification of one component.

    Args:
        attributes: the attributes as written in the file, or a specification built in Python; None if the file has
            none.
        context: the load context of the component.

    Raises:
        ComponentMessageError: naming file, line, field and reason of each problem.
    """
    try:
        if isinstance(attributes, ModelAttributes):
            attributes = resolve_attributes(attributes, context.resolution_context)
        if not isinstance(attributes, ModelSpec):
            raise ValueError(
                "attributes are missing. Add them: they are the specification of the model, see docs/reference/spec.md"
            )
        check_cron_fields(attributes)
    except Exception as error:
        problem = _describe(error, context.component_path)
        raise ComponentMessageError(problem, _with_other_problems(problem, context)) from error
    return attributes


def _with_other_problems(problem: str, context: dg.ComponentLoadContext) -> str:
    """Add the problems of the project's other broken models, by file and line; Dagster would load no model at all."""
    own = (_file_of(context.component_path), _position(context.component_path))
    problems = {(model.path, model.position): model.problem for model in find_model_files(context.defs_module_path)}
    problems[own] = problem
    return "\n".join(text for _, text in sorted(problems.items()) if text is not None)


def _file_of(component: ComponentPath) -> Path:
    path = component.file_path
    return path if path.is_file() else component_file(path) or path


def _position(component: ComponentPath) -> int:
    return component.instance_key if isinstance(component.instance_key, int) else 0


def _describe(error: Exception, component: ComponentPath) -> str:
    file = _file_of(component)
    if not file.is_file():
        return str(error)
    try:
        documents = parse_documents(file)
    except SpecFileError as problem:
        return str(problem)
    document = documents[min(_position(component), len(documents) - 1)]
    if isinstance(error, ValidationError):
        return describe_problems(document, error)
    reason = " ".join(str(error).split())
    line = document.locate(document.find_field([ATTRIBUTES], reason))[1]
    return f"{file}:{line}: {reason}"


def resolve_attributes(attributes: ModelAttributes, context: dg.ResolutionContext) -> ModelSpec:
    """Resolve the templates in attributes, such as `{{ env.FEED }}` and those of a `template_vars_module`.

    Args:
        attributes: the attributes of one component.
        context: has the names that templates may use, and the lines of the file.

    Raises:
        ValidationError: when the result is not a valid specification.
        ValueError: when an environment variable in a template is not set, or a template cannot be evaluated; names the
            field.
    """
    return ModelSpec.model_validate(_resolve(attributes.root, context.at_path("attributes")))


def _resolve(value: Any, context: dg.ResolutionContext) -> Any:
    # Dagster would also read texts without a template as Python literals: "1" in a list of choices as a number.
    if isinstance(value, Mapping):
        return {name: _resolve(part, context.at_path(name)) for name, part in value.items()}
    if isinstance(value, list):
        return [_resolve(part, context.at_path(number)) for number, part in enumerate(value)]
    if not isinstance(value, str) or MARK not in value:
        return value
    field = ".".join(map(str, context.path[1:]))
    for name in _ENV.findall(value):
        if getattr(context.scope["env"], name) is None:
            raise ValueError(
                f"{field}: {value}: the environment variable {name} is not set; set it, also in the file .env, or give "
                f"a default: {MARK} env('{name}', 'default') }}}}"
            )
    try:
        return context.resolve_value(value)
    except Exception as error:
        # The text of Dagster's error is a stack trace with the reason in its last line.
        raise ValueError(f"{field}: {value}: {str(error).strip().splitlines()[-1]}") from error
