"""What the doctor says of one thing that it looked at: well, or what is wrong and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: an error loses work or stops it, a warning may."""

    OK = "well"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at: its name, how bad it is, what was found, and how to mend it (empty when all is
    well).
    """

    check: str
    severity: Severity
    found: str
    remedy: str = ""

    def __post_init__(self):
        if (self.severity is Severity.OK) != (self.remedy == ""):
            raise ValueError(f"{self.check}: what is wrong has to say how to mend it, and nothing else may")


def ok(check: str, found: str) -> Diagnosis:
    """All is well."""
    return Diagnosis(check, Severity.OK, found)


def warning(check: str, found: str, remedy: str) -> Diagnosis:
    """Works, but may lose work or stop."""
    return Diagnosis(check, Severity.WARNING, found, remedy)


def error(check: str, found: str, remedy: str) -> Diagnosis:
    """Does not work, or will lose work."""
    return Diagnosis(check, Severity.ERROR, found, remedy)


def error_in_production(production: bool, check: str, found: str, remedy: str) -> Diagnosis:
    """An error in production, and a warning on a laptop."""
    return Diagnosis(check, Severity.ERROR if production else Severity.WARNING, found, remedy)
