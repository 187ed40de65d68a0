"""The base class of all parts of a specification, and reserved names."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, model_validator

# Names of columns that the pipeline adds to its tables, and of the request field with earlier rows.
RESERVED = ("day", "event_day", "score", "shadow_score", "decision", "model_version", "side", "reasons", "earlier_rows")
# Each model has a pool with its name; the GPU pool is shared.
RESERVED_MODEL = "gpu"
_OWNER = re.compile(r"team:.+|[A-Za-z0-9_][A-Za-z0-9._%+-]*@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}")


class SpecPart(BaseModel):
    """A frozen part of a model's specification that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _has_no_misread_values(cls, fields: Any) -> Any:
        """Refuse values that pydantic would convert: true and false to 1 and 0, a number to a date (seconds since
        1970).

        Raises:
            ValueError: when a field has such a value.
        """
        for name, value in fields.items() if isinstance(fields, dict) else ():
            if name in cls.model_fields and isinstance(value, bool | int | float):
                types = set(_alternatives(cls.model_fields[name].annotation))
                if isinstance(value, bool) and types & {int, float} and bool not in types:
                    raise ValueError(
                        f"{name} must be a number, not {value}; YAML reads yes, no, on and off as booleans"
                    )
                if date in types:
                    raise ValueError(f"{name} must be a day such as 2026-01-31, not {value}")
        return fields


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types that a field may have."""
    if get_origin(annotation) is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for alternative in get_args(annotation):
            yield from _alternatives(alternative)
    else:
        yield annotation


def check_name(where: str, name: str) -> None:
    """Check that a name is visible: not empty, without surrounding white space, and with printable characters only.

    Raises:
        ValueError: naming the field, the name and the reason.
    """
    if not name.strip():
        raise ValueError(f"{where}: {name!r} is not a valid name; a name needs a visible character")
    if name != name.strip() or not name.isprintable():
        raise ValueError(
            f"{where}: {name!a} has white space around it, or contains an invisible character; rename it "
            "(`source` is the name of a column in the files)"
        )


def check_model_name(name: str) -> str:
    """Return the name of a model if it is not the name of a shared pool.

    Raises:
        ValueError: when it is.
    """
    if name == RESERVED_MODEL:
        raise ValueError(f"{name} is the name of the pool that all models share; rename the model")
    return name


def check_owner(owner: str) -> str:
    """Return an owner that is an e-mail address or a team.

    Raises:
        ValueError: when it is neither.
    """
    if not _OWNER.fullmatch(owner):
        raise ValueError(f"{owner!r} is neither an e-mail address nor a team such as team:fraud")
    return owner


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)
