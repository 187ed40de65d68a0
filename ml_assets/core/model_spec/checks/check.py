"""What all checks have: a severity, and whether a failure blocks; names of the checks of a contract."""

import re
from typing import Literal

from pydantic import model_validator

from ml_assets.core.model_spec.types.base import SpecPart

Severity = Literal["warn", "error"]
CONTRACT = "contract_"


def contract_check_name(column: str) -> str:
    """Return the name of the check of a column, or of `row_key`, with the characters that Dagster allows."""
    return CONTRACT + re.sub(r"[^A-Za-z0-9_]", "_", column)


class Check(SpecPart):
    """The severity of a failing check."""

    severity: Severity = "error"
    """Severity of a failure in Dagster: error or warn."""

    blocking: bool = False
    """Whether a failure stops the downstream stages: a run in which no day passes stops, and no model is trained as of
    a day that fails. In a run over many days, the days that pass continue."""

    @model_validator(mode="after")
    def _only_errors_stop(self) -> "Check":
        if self.blocking and self.severity == "warn":
            raise ValueError("a check of severity warn cannot block; leave out blocking, or set severity to error")
        return self
