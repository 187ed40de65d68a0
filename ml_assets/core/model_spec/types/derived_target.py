"""A target that is derived from a landed column: its settings, and their translation into a column and a rule."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, ValidationError, model_validator
from pydantic import WithJsonSchema as JsonSchema

from ml_assets.core.model_spec.types.base import SpecPart

Value = StrictBool | StrictInt | StrictFloat | StrictStr
RULES = ("above", "below", "equals", "in")


class DerivedTarget(SpecPart):
    """A boolean target that a rule makes from a landed column: exactly one of above, below, equals and in.

    A row without a value in the column has no label."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    column: str
    """The landed column."""

    name: str = "label"
    """Name of the target in tables."""

    above: float | None = Field(None, allow_inf_nan=False)
    """Positive if the value is above it."""

    below: float | None = Field(None, allow_inf_nan=False)
    """Positive if the value is below it."""

    equals: Value | None = None
    """Positive if the value equals it."""

    in_: list[Value] | None = Field(None, alias="in", min_length=1)
    """Positive if the value is one of them."""

    @model_validator(mode="after")
    def _has_one_rule(self) -> "DerivedTarget":
        if len(self.rule()) != 1:
            raise ValueError(f"state exactly one of {', '.join(RULES)}, not {', '.join(self.rule()) or 'none'}")
        return self

    def rule(self) -> dict[str, Any]:
        """Return the rule and its value; several if the specification states several."""
        values = zip(RULES, (self.above, self.below, self.equals, self.in_), strict=True)
        return {rule: value for rule, value in values if value is not None}

    def __str__(self) -> str:
        ((rule, value),) = self.rule().items()
        return f"{self.column} {rule} {value}"


TargetName = Annotated[
    str,
    JsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["column"],
                    "properties": {
                        "column": {"type": "string"},
                        "name": {"type": "string", "default": "label"},
                        "above": {"type": "number"},
                        "below": {"type": "number"},
                        "equals": {"type": ["boolean", "number", "string"]},
                        "in": {"type": "array", "minItems": 1},
                    },
                },
            ]
        }
    ),
]


def complete_target(attributes: Mapping) -> Mapping:
    """Return the attributes of a specification in which a derived target is replaced by its column, name and rule.

    Raises:
        ValueError: when the target is an invalid mapping, or a column has its name.
    """
    target, columns = attributes.get("target"), attributes.get("columns")
    if not isinstance(target, Mapping) or not isinstance(columns, Mapping):
        return attributes
    try:
        derived = DerivedTarget.model_validate(target)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(["target", *map(str, first["loc"])])
        raise ValueError(f"{field}: {first['msg'].removeprefix('Value error, ')}") from error
    if derived.name in columns:
        raise ValueError(f"target.name: {derived.name} is a landed column; give the derived target another name")
    description = f"Derived: {derived}"
    column = {"type": "boolean", "nullable": True, "description": description}
    return {
        **attributes,
        "target": derived.name,
        "derived_target": derived,
        "columns": {**columns, derived.name: column},
    }
