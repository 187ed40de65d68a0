"""The request for a score: one row in the columns of the contract, with rows that are not in the history yet, validated
field by field.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, NotRequired

from pydantic import ConfigDict, Field, PlainValidator, TypeAdapter, ValidationError, WithJsonSchema, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from ml_assets.core.ingestion.json_reader import NumberLiteral, UnreadableText, json_text, loads
from ml_assets.core.ingestion.values.text_decoding import escape
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import Feed, rows_feed
from ml_assets.core.model_spec.source import Column
from ml_assets.core.serving.row_parser import InvalidValue, may_be_missing, reader_of

EARLIER = "earlier_rows"
MAX_INPUT_CHARACTERS = 200
_STRICT = ConfigDict(extra="forbid")
_JSON_TYPES = {
    "integer": "integer",
    "number": "number",
    "string": "string",
    "boolean": "boolean",
    "timestamp": "string",
}


class ScoreRequest(NamedTuple):
    """A request: the row and the earlier rows that came with it, with all columns of the contract but the target."""

    row: Mapping[str, Any]
    earlier: list[Mapping[str, Any]]


class InvalidRequest(ValueError):
    """A request that violates the contract.

    errors: `type`, `loc`, `msg` and `input` of each violation, as FastAPI reports them.
    """

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors))
        self.errors = errors


class RequestReader:
    """Reads the body of a request according to the contract of a model."""

    def __init__(self, spec: ModelSpec) -> None:
        self._row_key, self._time = spec.row_key, spec.event_time
        feed = rows_feed(spec)
        columns = {name: column for name, column in feed.columns.items() if name != spec.target}
        self._optional = dict.fromkeys(name for name, column in columns.items() if may_be_missing(column))
        fields = {name: _field(feed, name, column) for name, column in columns.items()}
        row = with_config(_STRICT)(TypedDict("Row", fields))  # type: ignore[operator]
        about = (
            "Rows that are not in the history yet, in the same form: later than the newest committed day, not "
            "later than the row."
        )
        earlier = NotRequired[Annotated[list[row], Field(description=about)]]  # type: ignore[valid-type]
        request = TypedDict("ScoreRequest", {**fields, EARLIER: earlier})  # type: ignore[operator]
        request = with_config(_STRICT)(request)
        self._adapter = TypeAdapter(request)
        self._validate = self._adapter.validator.validate_python

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of a request."""
        return self._adapter.json_schema()

    def read(self, body: bytes) -> ScoreRequest:
        """Read the request from a body of JSON.

        Raises:
            InvalidRequest: with every violation: a value that cannot be read or violates a rule of the contract, a
                column that is missing or unknown (such as the target, which is not known when a row is scored), a row
                key that occurs twice.
        """
        try:
            # Not pydantic's own reader of JSON: the text of a number must be that of a landed file.
            content = loads(body.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(
                [{"type": "json_invalid", "loc": ["body"], "msg": f"Invalid JSON: {error}", "input": None}]
            ) from None
        try:
            values = self._validate(content)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False)
            raise InvalidRequest([_to_error(details) for details in errors]) from None
        earlier = values.pop(EARLIER, None) or []
        row = {**self._optional, **values} if self._optional else values
        if not earlier:
            return ScoreRequest(row, earlier)
        earlier = [{**self._optional, **entry} for entry in earlier]
        self._check_keys(row, earlier)
        return ScoreRequest(row, earlier)

    def _check_keys(self, row: Mapping[str, Any], earlier: list[dict[str, Any]]) -> None:
        known = {tuple(row[name] for name in self._row_key)}
        for position, entry in enumerate(earlier):
            key = tuple(entry[name] for name in self._row_key)
            if key in known:
                error = {
                    "type": "row_key",
                    "msg": f"occurs twice in the request: {', '.join(map(str, key))}",
                    "input": str(key[0]),
                }
                raise InvalidRequest([{**error, "loc": ["body", EARLIER, position, self._row_key[0]]}])
            known.add(key)


def _field(feed: Feed, name: str, column: Column) -> Any:
    read_value = reader_of(feed, name)

    def read(value: object) -> object:
        try:
            return read_value(value)
        except InvalidValue as error:
            # pydantic would read braces in the reason itself as names of a template.
            raise PydanticCustomError(error.rule, "{reason}", {"reason": error.reason}) from None

    value = Annotated[Any, PlainValidator(read), WithJsonSchema(_json_schema(column))]
    return NotRequired[value] if may_be_missing(column) else value


def _json_schema(column: Column) -> dict[str, Any]:
    rules = {
        "minimum": column.minimum,
        "maximum": column.maximum,
        "enum": column.allowed,
        "pattern": column.pattern and f"^(?:{column.pattern})$",
    }
    kind = _JSON_TYPES[column.type]
    schema = {"type": [kind, "null"] if may_be_missing(column) else kind, "description": column.description or None}
    if column.type == "timestamp":
        schema["format"] = "date-time"
    return {name: rule for name, rule in {**schema, **rules}.items() if rule is not None}


def _to_error(details: Mapping[str, Any]) -> dict[str, Any]:
    value = details["input"]
    if isinstance(value, NumberLiteral) and len(value) < 20 and value.removeprefix("-").isdecimal():
        value = int(value)
    elif isinstance(value, dict | list | UnreadableText | NumberLiteral):
        value = escape(json_text(value) or "")
    if isinstance(value, str):
        value = escape(value)[:MAX_INPUT_CHARACTERS]
    elif not isinstance(value, int | None):
        value = None
    return {"type": details["type"], "loc": ["body", *details["loc"]], "msg": details["msg"], "input": value}
