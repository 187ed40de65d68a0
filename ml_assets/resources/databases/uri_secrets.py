"""URIs with passwords: redacted for messages, and hidden for the configuration of resources, which anybody can read."""

import re
from urllib.parse import urlsplit

from ml_assets.core.operations.notifications.redaction import redact

_USER = re.compile(r"://(?=[^/]).*@")
_SECRET_PARAMETER = re.compile(r"(password|token|secret)=", re.IGNORECASE)
_COMPLETE: dict[str, str] = {}


def without_credentials(uri: str) -> str:
    """Return the URI as it may appear in a message: without user, password and parameters."""
    return without_user(uri).partition("?")[0]


def has_credentials(uri: str) -> bool:
    """Return whether a URI contains a user, or a parameter that is a password."""
    return _USER.search(uri) is not None or _SECRET_PARAMETER.search(uri) is not None


def without_user(uri: str) -> str:
    """Return the URI without user and password, for links that people follow."""
    return _USER.sub("://", uri)


def without_password(uri: str) -> str:
    """Return the URI as it may appear in a command: with user and parameters, but no secret."""
    shown = _USER.sub(lambda user: f"://{re.split('[:@]', user[0][3:])[0]}@", uri)
    address, _, query = shown.partition("?")
    parameters = [part for part in query.split("&") if part and not _SECRET_PARAMETER.match(part)]
    return "?".join([address, *filter(None, ["&".join(parameters)])])


def hide(uri: str) -> str:
    """Return a URI that is safe in the configuration of a resource, which Dagster displays in its UI and stores with
    each run.

    Returns:
        The URI without user, password and parameters, from which `reveal` restores the complete URI in this process. A
        URI without user and password is returned unchanged, and `reveal` then returns it unchanged, too.
    """
    if not has_credentials(uri):
        _COMPLETE.pop(uri, None)
        return uri
    hidden = without_credentials(uri)
    _COMPLETE[hidden] = uri
    return hidden


def reveal(uri: str) -> str:
    """Return the complete URI to connect with; a URI that was not hidden in this process is returned unchanged."""
    return _COMPLETE.get(uri, uri)


def scrub(text: str, *uris: str | None) -> str:
    """Return a message of another library without the passwords of these URIs and anything that looks like a secret."""
    return redact(text, [password for uri in uris if uri and (password := urlsplit(uri).password)])
