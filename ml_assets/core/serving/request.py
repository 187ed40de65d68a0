"""The scoring request: one row with the columns of the contract, plus rows that are not in the history yet, validated
field by field.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, NamedTuple, NotRequired

from pydantic import ConfigDict, Field, PlainValidator, TypeAdapter, ValidationError, WithJsonSchema, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from ml_assets.core.features.inputs import feature_columns_read
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import Feed, rows_feed
from ml_assets.core.model_spec.source import Column
from ml_assets.core.serving.body_parser import InvalidBody, parse_body
from ml_assets.core.serving.faults import fault_of, list_faults
from ml_assets.core.serving.request_limits import RequestLimits
from ml_assets.core.serving.row_parser import InvalidValue, convert_together, may_be_missing, needs_converter, reader_of

EARLIER = "earlier_rows"
MAX_COUNTED = 1_000
"""Number of violations after which no further rows are validated."""
_EXTRA = "extra_forbidden"
_STRICT = ConfigDict(extra="forbid")
_JSON_TYPES = {
    "integer": "integer",
    "number": "number",
    "string": "string",
    "boolean": "boolean",
    "timestamp": "string",
}


class ScoreRequest(NamedTuple):
    """A request: the row and the earlier rows that came with it, with all columns of the contract except the target."""

    row: Mapping[str, Any]
    earlier: list[Mapping[str, Any]]


class InvalidRequest(ValueError):
    """A request that violates the contract.

    errors: `type`, `loc`, `msg` and `input` of the first violations, as FastAPI reports them; if there are more, the
    last entry states their number.
    """

    def __init__(self, errors: list[dict[str, Any]], total: int | None = None, is_complete: bool = True) -> None:
        errors = list_faults(errors, len(errors) if total is None else total, is_complete)
        super().__init__("; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors))
        self.errors = errors

    def __reduce__(self) -> tuple:
        """Pickle the list of faults without shortening it again."""
        return _listed_already, (str(self), self.errors)


def _listed_already(message: str, errors: list[dict[str, Any]]) -> InvalidRequest:
    error = InvalidRequest.__new__(InvalidRequest, message)
    error.errors = errors
    return error


class RequestReader:
    """Reads the body of a request according to the contract of a model."""

    def __init__(self, spec: ModelSpec, limits: RequestLimits | None = None) -> None:
        self._row_key, self._time = spec.row_key, spec.event_time
        feed = rows_feed(spec)
        late = spec.late_columns()
        columns = {name: column for name, column in feed.columns.items() if name not in late}
        if (weight := spec.sample_weight) in columns and weight not in feature_columns_read(spec):
            # The weight is used in training and metrics but not in scoring.
            columns[weight] = columns[weight].model_copy(update={"nullable": True})
        limits = limits or RequestLimits()
        self._limits = replace(limits, fields=max(limits.fields, len(spec.columns)))
        self._kinds = {name: column.type for name, column in columns.items()}
        self._zone = feed.source.time_zone
        self._optional = dict.fromkeys(name for name, column in columns.items() if may_be_missing(column))
        fields = {name: _field(feed, name, column) for name, column in columns.items()}
        row = with_config(_STRICT)(TypedDict("Row", fields))  # type: ignore[operator]
        about = (
            "Rows that are not in the history yet, in the same form: later than the newest committed day, not "
            "later than the row."
        )
        bounds = Field(description=about, max_length=limits.earlier_rows)
        rows = Annotated[list[row], bounds]  # type: ignore[valid-type]
        self._schema = _adapter(fields, rows)
        # Earlier rows are validated one by one, because pydantic would collect the violations of all of them.
        self._validate = _adapter(fields, list[Any]).validator.validate_python
        self._validate_earlier = TypeAdapter(row).validator.validate_python

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of a request."""
        return self._schema.json_schema()

    def read(self, body: bytes) -> ScoreRequest:
        """Read the request from a body of JSON.

        Raises:
            InvalidRequest: with the first violations: a value that cannot be read or violates a rule of the contract, a
                column that is missing or unknown (such as the target, which is not known at scoring time), or a
                repeated row key. Or with one fault, when the body is not JSON or exceeds a limit.
        """
        return self.validate(self.parse(body))

    def parse(self, body: bytes) -> object:
        """Parse a body of JSON, for `validate`.

        Raises:
            InvalidRequest: with one fault, when the body is not JSON or exceeds a limit.
        """
        try:
            # Not pydantic's own JSON parser, because the text of numbers must be kept as for landed files.
            return parse_body(body, self._limits)
        except InvalidBody as error:
            raise InvalidRequest([{"type": error.kind, "loc": ["body"], "msg": error.reason, "input": None}]) from None

    def is_slow(self, content: object) -> bool:
        """Return whether the validation of a parsed body takes milliseconds, because of the notation of its values."""
        rows = _rows_in(content)
        return any(
            needs_converter(row[name], kind, self._zone)
            for row in rows
            for name, kind in self._kinds.items()
            if name in row
        )

    def validate(self, content: object) -> ScoreRequest:
        """Validate a parsed body, see `read`.

        Raises:
            InvalidRequest: with the first violations.
        """
        rows = _rows_in(content)
        for name, kind in self._kinds.items():
            holders = [row for row in rows if name in row]
            for row, value in zip(
                holders, convert_together([row[name] for row in holders], kind, self._zone), strict=True
            ):
                row[name] = value
        violations = _Violations(self._limits.faults)
        values: dict[str, Any] = {}
        try:
            values = self._validate(content)
        except ValidationError as error:
            violations.add(error)
        sent = content.get(EARLIER) if isinstance(content, dict) else None
        if not sent and not violations.total:
            values.pop(EARLIER, None)
            return ScoreRequest({**self._optional, **values} if self._optional else values, [])
        earlier, sent = [], sent if isinstance(sent, list) else []
        for position, entry in enumerate(sent):
            if violations.total > MAX_COUNTED:
                break
            try:
                earlier.append({**self._optional, **self._validate_earlier(entry)})
            except ValidationError as error:
                violations.add(error, EARLIER, position)
        if violations.total:
            raise InvalidRequest(violations.listed(), violations.total, violations.total <= MAX_COUNTED)
        values.pop(EARLIER)
        row = {**self._optional, **values}
        self._check_keys(row, earlier)
        return ScoreRequest(row, earlier)

    def _check_keys(self, row: Mapping[str, Any], earlier: list[dict[str, Any]]) -> None:
        known = {tuple(row[name] for name in self._row_key)}
        for position, entry in enumerate(earlier):
            key = tuple(entry[name] for name in self._row_key)
            if key in known:
                error = {
                    "type": "row_key",
                    "loc": (EARLIER, position, self._row_key[0]),
                    "msg": f"occurs twice in the request: {', '.join(map(str, key))}",
                    "input": str(key[0]),
                }
                raise InvalidRequest([fault_of(error)])
            known.add(key)


def _rows_in(content: object) -> list[dict[str, Any]]:
    """Return the objects at the positions of rows in a parsed body."""
    if not isinstance(content, dict):
        return []
    earlier = content.get(EARLIER)
    entries = earlier if isinstance(earlier, list) else []
    return [content, *(entry for entry in entries if isinstance(entry, dict))]


class _Violations:
    """The first violations of a request, in the order of its fields, and their total number."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: list[dict[str, Any]] = []
        self._extra: list[dict[str, Any]] = []
        self.total = 0

    def add(self, error: ValidationError, *location: str | int) -> None:
        """Count the violations of a row, and keep them up to the limit."""
        self.total += error.error_count()
        if len(self._known) >= self._limit:
            return
        for details in error.errors(include_url=False, include_context=False):
            is_extra = details["type"] == _EXTRA and not location
            violations = self._extra if is_extra else self._known
            if len(violations) < self._limit:
                violations.append(fault_of({**details, "loc": (*location, *details["loc"])}))

    def listed(self) -> list[dict[str, Any]]:
        """Return the first violations; those of unknown fields come last."""
        return [*self._known, *self._extra][: self._limit]


def _adapter(fields: dict[str, Any], earlier_rows: Any) -> TypeAdapter:
    request = TypedDict("ScoreRequest", {**fields, EARLIER: NotRequired[earlier_rows]})  # type: ignore[operator]
    return TypeAdapter(with_config(_STRICT)(request))


def _field(feed: Feed, name: str, column: Column) -> Any:
    read_value = reader_of(feed, name)

    def read(value: object) -> object:
        try:
            return read_value(value)
        except InvalidValue as error:
            # pydantic would treat braces in the reason as template placeholders.
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
