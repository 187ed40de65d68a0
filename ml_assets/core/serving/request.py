"""The request for a score: one row in the columns of the contract, with rows that are not in the history yet; refused
field by field.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, NotRequired

from pydantic import ConfigDict, Field, PlainValidator, TypeAdapter, ValidationError, WithJsonSchema, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import Feed, rows_feed
from ml_assets.core.model_spec.source import Column
from ml_assets.core.serving.row_parser import Unfit, may_be_missing, reader_of

EARLIER = "earlier_rows"
LONGEST_SHOWN = 200
_STRICT = ConfigDict(extra="forbid")
_JSON_TYPES = {
    "integer": "integer",
    "number": "number",
    "string": "string",
    "boolean": "boolean",
    "timestamp": "string",
}


class Asked(NamedTuple):
    """A request: the row and the rows that came with it, each with all columns of the contract but the target."""

    row: Mapping[str, Any]
    earlier: list[Mapping[str, Any]]


class Refused(ValueError):
    """A request that breaks the contract. faults: `type`, `loc`, `msg` and `input` of each, as FastAPI tells them."""

    def __init__(self, faults: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults))
        self.faults = faults


class RequestReader:
    """Reads the body of a request by the contract of a model.

    Raises:
        ValueError: when a column has the name of the field for earlier rows.
    """

    def __init__(self, spec: ModelSpec) -> None:
        if EARLIER in spec.columns:
            raise ValueError(
                f"columns.{EARLIER}: a request for a score has this name for the rows that come with it; rename the "
                "column"
            )
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
        request = with_config(_STRICT)(TypedDict("ScoreRequest", {**fields, EARLIER: earlier}))  # type: ignore[operator]
        self._adapter = TypeAdapter(request)
        self._validate = self._adapter.validator.validate_json

    def json_schema(self) -> dict[str, Any]:
        """The JSON schema of a request."""
        return self._adapter.json_schema()

    def read(self, body: bytes) -> Asked:
        """The request in a body of JSON.

        Raises:
            Refused: with every fault: a value that cannot be read or breaks a rule of the contract, a column that is
                missing or unknown (the target is: it is not known when a row is scored), a row key that occurs twice.
        """
        try:
            asked = self._validate(body)
        except ValidationError as error:
            raise Refused([_fault(fault) for fault in error.errors(include_url=False, include_context=False)]) from None
        earlier = asked.pop(EARLIER, None) or []
        row = {**self._optional, **asked} if self._optional else asked
        if not earlier:
            return Asked(row, earlier)
        earlier = [{**self._optional, **entry} for entry in earlier]
        self._check_keys(row, earlier)
        return Asked(row, earlier)

    def _check_keys(self, row: Mapping[str, Any], earlier: list[dict[str, Any]]) -> None:
        seen = {tuple(row[name] for name in self._row_key)}
        for position, entry in enumerate(earlier):
            key = tuple(entry[name] for name in self._row_key)
            if key in seen:
                what = {
                    "type": "row_key",
                    "msg": f"stands in the request twice: {', '.join(map(str, key))}",
                    "input": str(key[0]),
                }
                raise Refused([{**what, "loc": ["body", EARLIER, position, self._row_key[0]]}])
            seen.add(key)


def _field(feed: Feed, name: str, column: Column) -> Any:
    read_value = reader_of(feed, name)

    def read(value: object) -> object:
        try:
            return read_value(value)
        except Unfit as error:
            # A template would take what stands in braces as a name.
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


def _fault(fault: Mapping[str, Any]) -> dict[str, Any]:
    value = fault["input"]
    if isinstance(value, float | dict | list):
        # JSON cannot tell infinities and what is not a number.
        value = json.dumps(value)
    shown = value[:LONGEST_SHOWN] if isinstance(value, str) else value if isinstance(value, int | None) else None
    return {"type": fault["type"], "loc": ["body", *fault["loc"]], "msg": fault["msg"], "input": shown}
