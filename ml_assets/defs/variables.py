"""Environment variables other than the places of `settings`: secrets, notification targets, limits, metrics, logs."""

import re
from collections.abc import Mapping
from pathlib import Path

SECRET_NAME = re.compile(
    r"PASSWORD|SECRET|TOKEN|CREDENTIAL|(^|_)(API|ACCESS|PRIVATE)_?KEY(_|$)|^ML_ASSETS_NOTIFY$", re.IGNORECASE
)


def read_value_or_file(variables: Mapping[str, str], name: str, if_unset: str) -> str | None:
    """Read a variable, or the file that the variable `<name>_FILE` names; None without either.

    Args:
        variables: the environment variables.
        name: the name of the variable.
        if_unset: what an unset variable means, for the error message.

    Raises:
        ValueError: when both are set, the file cannot be read, or the value is empty.
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
        raise ValueError(f"{name if file is None else f'the file of {name}_FILE'} is empty; unset it for {if_unset}")
    return value.strip() if value is not None else None


def read_notify_targets(variables: Mapping[str, str]) -> str:
    """Read the apprise URLs that notifications are sent to: ML_ASSETS_NOTIFY, or the content of the file
    ML_ASSETS_NOTIFY_FILE; empty without either.

    Raises:
        ValueError: when both are set, the file cannot be read, or the value is empty.
    """
    return read_value_or_file(variables, "ML_ASSETS_NOTIFY", "notifications that are not sent") or ""


def read_api_key(variables: Mapping[str, str]) -> str | None:
    """Read the key that clients of the scoring service must send: ML_ASSETS_API_KEY, or the content of the file
    ML_ASSETS_API_KEY_FILE; None without either.

    Raises:
        ValueError: when both are set, the file cannot be read, or the key is empty: an empty key is a mistake, and must
            not leave a service open.
    """
    return read_value_or_file(variables, "ML_ASSETS_API_KEY", "a service without a key")


def read_request_rate(variables: Mapping[str, str]) -> float | None:
    """Read how many requests a second one client of the scoring service may make: ML_ASSETS_REQUESTS_PER_SECOND, or
    5,000; None for `unlimited`.

    Raises:
        ValueError: for anything but a number above 0 or `unlimited`.
    """
    text = variables.get("ML_ASSETS_REQUESTS_PER_SECOND") or "5000"
    if text == "unlimited":
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ValueError(f"ML_ASSETS_REQUESTS_PER_SECOND is {text!r}; it must be a number above 0, or `unlimited`")
    return rate


def secret_values(variables: Mapping[str, str]) -> list[str]:
    """List the values that must not appear in any message: those of variables with a secret name, and the user names
    and passwords in URIs.
    """
    named = [value for name, value in variables.items() if SECRET_NAME.search(name) and not name.endswith("_FILE")]
    users = [user for value in variables.values() for user in re.findall(r"://([^/\s]+:[^/\s]*)@", value)]
    return [value for value in {*named, *users, *(user.partition(":")[2] for user in users)} if value]


def pushes_metrics(variables: Mapping[str, str]) -> bool:
    """Return whether steps push metrics, which they do when OpenTelemetry's variables name an endpoint."""
    return any(variables.get(f"OTEL_EXPORTER_OTLP_{kind}ENDPOINT") for kind in ("", "METRICS_"))


def read_log_format(variables: Mapping[str, str]) -> str:
    """Read the format in which the loggers `ml_assets.*` write, from ML_ASSETS_LOG: `text` (Python's default) or `json`
    (one JSON object a line).

    Raises:
        ValueError: for any other value.
    """
    log_format = variables.get("ML_ASSETS_LOG") or "text"
    if log_format not in ("text", "json"):
        raise ValueError(f"ML_ASSETS_LOG is {log_format!r}; it must be text or json")
    return log_format
