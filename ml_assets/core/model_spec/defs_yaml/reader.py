"""Reader of the specification in a defs.yaml, without Dagster."""

from collections.abc import Iterator
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ml_assets.core.model_spec.defs_yaml.document import SpecFileError, YamlDocument, misread_text
from ml_assets.core.model_spec.defs_yaml.field_names import nearest_field
from ml_assets.core.model_spec.defs_yaml.parser import parse_documents
from ml_assets.core.model_spec.model import ModelSpec

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ATTRIBUTES = "attributes"
_MAX_PROBLEMS = 20
# The time to locate a field grows with the size of its mapping: 5 seconds for the 6,000 problems of 3,000 columns.
_MAX_SORTED = 500
_NAME = "a name begins with a lower-case letter, followed by lower-case letters, digits and _"
_REASONS = {
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing"), "a day is written as 2026-11-28"),
    **dict.fromkeys(("model_type", "model_attributes_type"), "fields are written as {name: value}"),
    "list_type": "a list is written as [first, second]",
    "float_parsing": "a number is written as 0.8",
    "extra_forbidden": "there is no such field",
    "missing": "the field is missing",
    "^[a-z][a-z0-9_]*$": _NAME,
    "^[a-z]([a-z0-9_]*[a-z0-9])?$": f"{_NAME} (not at its end)",
}


def read_spec(path: Path) -> ModelSpec:
    """Read the specification in a defs.yaml of one model.

    Raises:
        SpecFileError: naming the file, the line and each field that is unknown or not valid, with the reason.
    """
    documents = parse_documents(path)
    if len(documents) > 1:
        raise SpecFileError(f"{path}:{documents[1].line}: a second document begins here; one model is read")
    return read_document(documents[0])


def read_document(document: YamlDocument) -> ModelSpec:
    """Read the specification in one document of a file.

    Raises:
        SpecFileError: as `read_spec`.
    """
    content, path = document.content, document.path
    if not isinstance(content, dict):
        whole = "document" if document.position else "file"
        raise SpecFileError(
            f"{path}:{document.line}: the {whole} must be a mapping with type and attributes, not "
            f"{_type_name(content)}; docs/reference/spec.md has an example"
        )
    attributes = content.get(ATTRIBUTES)
    if not isinstance(attributes, dict):
        line = document.locate([ATTRIBUTES])[1]
        problem = "are missing" if attributes is None else f"must be a mapping, not {_type_name(attributes)}"
        raise SpecFileError(
            f"{path}:{line}: {ATTRIBUTES} {problem}; they are the specification of the model, "
            "see docs/reference/spec.md"
        )
    try:
        return ModelSpec.model_validate(attributes)
    except ValidationError as error:
        raise SpecFileError(describe_problems(document, error)) from error
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise SpecFileError(f"{path}:{document.line}: the specification cannot be read: {reason}") from error


def describe_problems(document: YamlDocument, error: ValidationError) -> str:
    """Describe the first twenty problems of a specification, each on a line with file, line, field and reason.

    Args:
        document: the document of the specification.
        error: the error of its validation.
    """
    located = sorted(islice(_problems(document, error), _MAX_SORTED), key=itemgetter(0))
    problems = [f"{document.path}:{line}: {text}" for line, text in located[:_MAX_PROBLEMS]]
    if error.error_count() > _MAX_PROBLEMS:
        problems.append(f"{document.path}: and {error.error_count() - _MAX_PROBLEMS:,} more problems")
    return "\n".join(problems)


def stated_name(document: YamlDocument) -> str | None:
    """Return the name of the model in a document, even if the rest is not valid; None without one."""
    attributes = document.content.get(ATTRIBUTES) if isinstance(document.content, dict) else None
    name = attributes.get("name") if isinstance(attributes, dict) else None
    return name if isinstance(name, str) else None


def _problems(document: YamlDocument, error: ValidationError) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each problem."""
    # pydantic reports every member of a union that does not fit, which repeats the same problem.
    for details in error.errors(include_url=False):
        pattern = details.get("ctx", {}).get("pattern")
        reason = _REASONS.get(pattern or details["type"], details["msg"].removeprefix("Value error, "))
        path = document.find_field([ATTRIBUTES, *details["loc"]], reason)
        field, line, node = document.locate([*path])
        field = field.removeprefix(f"{ATTRIBUTES}.") if field != ATTRIBUTES else ""
        hint = misread_text(node) if details["type"] == "string_type" else None
        named = reason.startswith(field) and len(path) > 1 + len(details["loc"])
        text = reason if named or not field else f"{field}: {reason}"
        if details["type"] == "extra_forbidden" and (nearest := nearest_field(details["loc"])):
            text += f"; did you mean {nearest}?"
        yield line, f"{text}{_input(details)}{f'. {hint}' if hint else ''}"


def _input(details: "ErrorDetails") -> str:
    """Return the refused value, if the message does not have it and it fits on the line."""
    value = details["input"]
    if details["type"] in ("value_error", "missing", "extra_forbidden") or isinstance(value, dict | list):
        return ""
    return f", not {value!r}" if len(repr(value)) <= 100 else ""


def _type_name(content: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(content), "nothing")
