"""URIs with passwords: how they may be shown, and what is kept of them where the configuration of a resource can be
read by anybody.
"""

import re
from urllib.parse import urlsplit

from ml_assets.core.operations.notifications.redaction import redact

_WHOLE: dict[str, str] = {}


def shown(uri: str) -> str:
    """The URI as it may appear in a message: without user, password and parameters."""
    return re.sub(r"://(?=[^/]).*@", "://", uri).partition("?")[0]


def hide(uri: str) -> str:
    """What to configure a resource with in place of a URI that names a user: Dagster shows a configuration in its UI
    and stores it with each run.

    Returns:
        The URI without user, password and parameters, for which `reveal` gives the whole of it back in this process. A
            URI that names no user and
        no password stays as it is, and stands for itself from then on.
    """
    if re.search(r"://(?=[^/]).*@|password=", uri) is None:
        _WHOLE.pop(uri, None)
        return uri
    _WHOLE[shown(uri)] = uri
    return shown(uri)


def reveal(uri: str) -> str:
    """The whole URI, to connect with; one that was not hidden in this process is returned as it is."""
    return _WHOLE.get(uri, uri)


def scrub(text: str, *uris: str | None) -> str:
    """A message of somebody else's without the passwords of these URIs, and without what looks like a secret, should it
    hold one.
    """
    return redact(text, [password for uri in uris if uri and (password := urlsplit(uri).password)])
