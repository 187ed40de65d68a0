"""Secrets taken out of text: the configured ones by their value, others by their form."""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "***"
# Shorter values are also words of ordinary sentences.
SHORTEST = 4

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Between user and host of a URL, the password may hold any character but a blank.
    (re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://)[^\s/]*@", re.IGNORECASE), rf"\g<before>{HIDDEN}@"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b"), HIDDEN),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"), HIDDEN),
    (re.compile(r"\b(?:xox[a-z]|gh[pousr]|glpat|sk|pk|rk)[-_][A-Za-z0-9_-]{10,}"), HIDDEN),
    (re.compile(r"\bhooks\.slack\.com/\S+", re.IGNORECASE), f"hooks.slack.com/{HIDDEN}"),
    (
        re.compile(r"(?P<before>\b(?:Bearer|Basic|Token)\s+)(?:token=)?[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE),
        rf"\g<before>{HIDDEN}",
    ),
    (
        re.compile(
            r"(?P<before>[\w.-]*(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|credential|signature|private[_-]?key)[\w.-]*"
            r"[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&}]+",
            re.IGNORECASE,
        ),
        rf"\g<before>{HIDDEN}",
    ),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these secrets, as they are and as they stand in a URL, and without what looks like one.

    Passwords in URLs, AWS keys, private keys, tokens of well-known services, JSON web tokens, and values that are named
    password, secret, token or key.

    Args:
        text: what somebody else wrote.
        secrets: values that must not appear; those of fewer than `SHORTEST` characters are not looked for.
    """
    # The longest first: one may be part of another.
    for value in sorted({form for secret in secrets for form in _written(secret)}, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    for form, instead in _FORMS:
        text = form.sub(instead, text)
    return text


def _written(secret: str) -> set[str]:
    """The ways in which a secret is written: as it is, in the forms of URLs, and quoted as Python or JSON does."""
    stripped = secret.strip()
    forms = {
        stripped,
        unquote(stripped),
        quote(stripped),
        quote(stripped, safe=""),
        quote_plus(stripped),
        repr(stripped)[1:-1],
    }
    forms |= {line.strip() for line in stripped.splitlines()}
    return {form for form in forms if len(form) >= SHORTEST}


def secrets_of_url(url: str) -> set[str]:
    """Every part of a target's URL that may be a secret: as a whole, user and password, path and values of parameters,
    and a host that is no address.

    Which part is the token differs between services: Slack has it in host and path, PagerDuty in user and host.
    """
    _, _, rest = url.partition("://")
    before, at, after = rest.rpartition("@")
    host = re.split(r"[/?#:]", after)[0]
    known = {host} if "." in host else set()
    parts = {part for part in re.split(r"[/?&:#=]", after) if len(part) >= 2 * SHORTEST} - known
    return {url, rest, *parts, *((before, *before.split(":")) if at else ())}
