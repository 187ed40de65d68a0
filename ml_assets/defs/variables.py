"""Environment variables other than the places of `settings`: secrets, notification targets, limits, metrics, logs."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ml_assets.core.operations.notifications.redaction import secrets_of_url, without_parameters

# Dagster uses this parameter itself; the warning begins with this text.
BETA_WARNING = "Parameter `execution_type` of function `AssetsDefinition.__init__` is currently in beta"

# For libraries: waiting XGBoost threads yield the processor, MLflow sends no usage data and its server runs no jobs,
# Dagster stores events a few hundred at a time, and a step waits at most three seconds for the metrics endpoint.
LIBRARY_DEFAULTS = {
    "OMP_WAIT_POLICY": "passive",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "DAGSTER_EVENT_BATCH_SIZE": "400",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
}
# With MLflow's defaults, its client would try for minutes.
WAITED_FOR = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}

SECRET_NAME = re.compile(
    r"PASSWORD|SECRET|TOKEN|CREDENTIAL|(^|_)(API|ACCESS|PRIVATE)_?KEY(_|$)"
    r"|^ML_ASSETS_(NOTIFY|CAPTURE_KEY)$|^OTEL_EXPORTER_OTLP_.*HEADERS$|^OPENLINEAGE__.*AUTH",
    re.IGNORECASE,
)
# A part of a URL that is hidden wherever it appears: long, and not a word.
TOKEN = re.compile(r"(?=.*\d)\S{8,}|\S{20,}")

# A part of a password that is hidden by itself: letters with digits, or long.
PART = re.compile(r"(?=.*\d)(?=.*[A-Za-z])\S{5,}|\S{12,}")
PARAMETER = re.compile(r"[?&#;]([^=&\s?#;]+)=([^&#;\s]+)")
# Parameters whose value is a secret; `sslkey` and its like name files.
SECRET_PARAMETER = re.compile(
    r"passw|pwd|secret|token|credential|signature|^sig$|(^|[_-])auth|(api|access|private|account)[_-]?key|^key$",
    re.IGNORECASE,
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
            value = Path(file).read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f"{name}_FILE: {file} cannot be read: {error.strerror}") from error
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


def read_capture_key(variables: Mapping[str, str]) -> str | None:
    """Read the key with which columns of served requests are hashed: ML_ASSETS_CAPTURE_KEY, or the content of the file
    ML_ASSETS_CAPTURE_KEY_FILE; None without either.

    Raises:
        ValueError: when both are set, the file cannot be read, or the key is empty.
    """
    return read_value_or_file(variables, "ML_ASSETS_CAPTURE_KEY", "a service that hashes nothing")


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


def read_trusted_proxies(variables: Mapping[str, str]) -> str | None:
    """Read the proxies whose header X-Forwarded-For names the client: FORWARDED_ALLOW_IPS, addresses and networks
    separated by commas, or `*`; None without it. By default uvicorn trusts 127.0.0.1, so any local client could forge
    its address.
    """
    return variables.get("FORWARDED_ALLOW_IPS", "").strip() or None


def secret_values(variables: Mapping[str, str]) -> list[str]:
    """List the values that must not appear in any message: those of variables with a secret name and the content of the
    files that they name, users and passwords in URIs, passwords among URI parameters, and every part of a notification
    target that may be a secret.
    """
    secrets = {value for name, value in variables.items() if SECRET_NAME.search(name) and not name.endswith("_FILE")}
    for name, path in variables.items():
        if name.endswith("_FILE") and SECRET_NAME.search(name.removesuffix("_FILE")):
            secrets |= _content(path)
    for value in variables.values():
        urls = without_parameters(value)
        users = [*re.findall(r"://([^/\s@]+:[^/\s]*)@", urls), *re.findall(r"://([^\s@/:]*:\S*)@", urls)]
        passwords = [user.partition(":")[2] for user in users]
        secrets |= {*users, *passwords}
        # A library that mistakes a delimiter in a password for its end prints the part before or after it in an error.
        secrets |= {part for text in passwords for part in re.split(r"[/?#@:]", unquote(text)) if PART.fullmatch(part)}
        # Some servers take a token in place of a user.
        secrets |= {user for user in re.findall(r"https?://([^/\s@:]+):?@", value) if TOKEN.fullmatch(user)}
        secrets |= {text for name, text in PARAMETER.findall(value) if SECRET_PARAMETER.search(name)}
    targets = {*_words(variables.get("ML_ASSETS_NOTIFY", ""))}
    if file := variables.get("ML_ASSETS_NOTIFY_FILE"):
        targets |= {word for content in _content(file) for word in _words(content)}
    secrets |= {part for target in targets for part in secrets_of_url(target) if TOKEN.fullmatch(part)}
    user, password = variables.get("MLFLOW_TRACKING_USERNAME"), variables.get("MLFLOW_TRACKING_PASSWORD")
    # User and password together are the header that MLflow sends.
    secrets |= {f"{user}:{password}"} if user and password else set()
    return [value for value in secrets if value]


def _content(path: str) -> set[str]:
    try:
        return {Path(path).read_text(encoding="utf-8").strip()}
    except (OSError, UnicodeDecodeError):
        return set()


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if "://" in word]


def split_mlflow_credentials(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that replace user and password in MLFLOW_TRACKING_URI, if it is the URL of a server and has
    both. MLflow's client reads them from these variables, so that no URL in a message, tag or link contains them.
    """
    uri = variables.get("MLFLOW_TRACKING_URI", "")
    if re.match(r"https?://", uri, re.IGNORECASE) is None:
        return {}
    try:
        parts = urlsplit(uri)
        user, password = parts.username, parts.password
    except ValueError:
        return {}
    if not user or not password:
        return {}
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return {
        "MLFLOW_TRACKING_URI": bare,
        "MLFLOW_TRACKING_USERNAME": unquote(user),
        "MLFLOW_TRACKING_PASSWORD": unquote(password),
    }


def pushes_metrics(variables: Mapping[str, str]) -> bool:
    """Return whether steps push metrics, which they do when OpenTelemetry's variables name an endpoint."""
    return any(variables.get(f"OTEL_EXPORTER_OTLP_{kind}ENDPOINT") for kind in ("", "METRICS_"))


def lineage_namespace(variables: Mapping[str, str]) -> str | None:
    """Return the namespace of the jobs in lineage, OPENLINEAGE_NAMESPACE; None if they disable lineage or OpenLineage's
    variables name no endpoint.
    """
    names_place = any(variables.get(name) for name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG"))
    names_transport = any(name.startswith("OPENLINEAGE__TRANSPORT__") for name in variables)
    is_disabled = variables.get("OPENLINEAGE_DISABLED", "").lower() == "true"
    is_on = (names_place or names_transport) and not is_disabled
    return variables.get("OPENLINEAGE_NAMESPACE") or "ml_assets" if is_on else None


def has_kubernetes_variables(variables: Mapping[str, str]) -> bool:
    """Return whether the process runs in a pod: Kubernetes sets this variable in every container."""
    return bool(variables.get("KUBERNETES_SERVICE_HOST"))


def read_log_format(variables: Mapping[str, str]) -> str:
    """Read the format in which the loggers `ml_assets.*` write, from ML_ASSETS_LOG: `text` (Python's default) or `json`
    (one JSON object per line).

    Raises:
        ValueError: for any other value.
    """
    log_format = variables.get("ML_ASSETS_LOG") or "text"
    if log_format not in ("text", "json"):
        raise ValueError(f"ML_ASSETS_LOG is {log_format!r}; it must be text or json")
    return log_format


def read_umask(variables: Mapping[str, str]) -> int | None:
    """Read the permissions that new files and folders do not get, from ML_ASSETS_UMASK, in octal digits as for the
    shell's `umask`; None when it is not set. With 077 only this user can read them, with 007 its group can read and
    change them, with 027 its group can read them.

    Raises:
        ValueError: when it is not an octal number, or takes permissions from the owner.
    """
    text = variables.get("ML_ASSETS_UMASK") or None
    if text is None:
        return None
    if re.fullmatch(r"0{0,2}[0-7]{1,2}", text) is None:
        raise ValueError(f"ML_ASSETS_UMASK is {text!r}; it must be an octal number from 000 to 077, such as 077 or 007")
    return int(text, 8)
