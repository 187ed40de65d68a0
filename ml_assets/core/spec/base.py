"""What every part of a spec has in common: frozen, and no field that is not in the documentation."""

from pydantic import BaseModel, ConfigDict


class SpecPart(BaseModel):
    """A frozen part of a model's specification that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
