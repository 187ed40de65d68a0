"""What environment variables mean that say neither where things are nor how steps are executed: targets, secrets,
metrics, logs.
"""

import re
from collections.abc import Mapping
from pathlib import Path

SECRET_NAME = re.compile(
    r"PASSWORD|SECRET|TOKEN|CREDENTIAL|(^|_)(API|ACCESS|PRIVATE)_?KEY(_|$)|^ML_ASSETS_NOTIFY$", re.IGNORECASE
)


def value_or_file(variables: Mapping[str, str], name: str, without: str) -> str | None:
    """The value of a variable, or the content of the file that the variable of the same name with _FILE names; None
    without either.

    Args:
        variables: of the environment.
        name: of the variable.
        without: what there is without it, for the message.

    Raises:
        ValueError: when both are set, the file cannot be read, or there is nothing in it.
    """
    value, file = variables.get(name), variables.get(f"{name}_FILE")
    if value is not None and file is not None:
        raise ValueError(f"{name} and {name}_FILE are both set; set one of them")
    if file is not None:
        try:
            value = Path(file).read_text()
        except OSError as error:
            raise ValueError(f"{name}_FILE cannot be read: {error}") from error
    if value is not None and not value.strip():
        raise ValueError(f"{name if file is None else f'the file of {name}_FILE'} is empty; unset it for {without}")
    return value.strip() if value is not None else None


def read_notify_targets(variables: Mapping[str, str]) -> str:
    """Whom notifications are sent to: ML_ASSETS_NOTIFY, URLs of apprise, or the content of the file
    ML_ASSETS_NOTIFY_FILE; empty without either.

    Raises:
        ValueError: when both are set, the file cannot be read, or there is nothing in it.
    """
    return value_or_file(variables, "ML_ASSETS_NOTIFY", "notifications that are not sent") or ""


def secret_values(variables: Mapping[str, str]) -> list[str]:
    """What must not be in any message: values of variables whose names say that they are secret, and users with
    passwords of all URIs.
    """
    named = [value for name, value in variables.items() if SECRET_NAME.search(name) and not name.endswith("_FILE")]
    users = [user for value in variables.values() for user in re.findall(r"://([^/\s]+:[^/\s]*)@", value)]
    return [value for value in {*named, *users, *(user.partition(":")[2] for user in users)} if value]


def pushes_metrics(variables: Mapping[str, str]) -> bool:
    """Whether steps push metrics: where a variable of OpenTelemetry says where to."""
    return any(variables.get(f"OTEL_EXPORTER_OTLP_{of}ENDPOINT") for of in ("", "METRICS_"))


def read_log_format(variables: Mapping[str, str]) -> str:
    """How `ml_assets.*` logs, by ML_ASSETS_LOG: `text` (as Python has it, the default) or `json` (a JSON object a
    line).

    Raises:
        ValueError: when it is neither.
    """
    form = variables.get("ML_ASSETS_LOG") or "text"
    if form not in ("text", "json"):
        raise ValueError(f"ML_ASSETS_LOG is {form!r}; it must be text or json")
    return form
