"""Result of a doctor check: OK, or a problem with its remedy."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Severity of a diagnosis: an error stops or loses work, a warning may do so."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Diagnosis:
    """Result of one check: its name, the severity, a message, and the remedy (empty when the check is OK)."""

    check: str
    severity: Severity
    message: str
    remedy: str = ""

    def __post_init__(self):
        if (self.severity is Severity.OK) != (self.remedy == ""):
            raise ValueError(f"{self.check}: a warning or an error needs a remedy, and a check that is OK has none")


def ok(check: str, message: str) -> Diagnosis:
    """Return the diagnosis of a check without a problem."""
    return Diagnosis(check, Severity.OK, message)


def warning(check: str, message: str, remedy: str) -> Diagnosis:
    """Return the diagnosis of something that works, but may stop or lose work."""
    return Diagnosis(check, Severity.WARNING, message, remedy)


def error(check: str, message: str, remedy: str) -> Diagnosis:
    """Return the diagnosis of something that does not work, or will lose work."""
    return Diagnosis(check, Severity.ERROR, message, remedy)


def error_in_production(production: bool, check: str, message: str, remedy: str) -> Diagnosis:
    """Return an error in production, and a warning on a laptop."""
    return Diagnosis(check, Severity.ERROR if production else Severity.WARNING, message, remedy)
