"""Redaction of secrets in text: configured ones by their value, others by their form."""

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "***"
# Shorter values also occur in ordinary sentences.
MIN_LENGTH = 4

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    # The password in a URL may contain any character but a blank.
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
            r"(?P<before>[\w.-]*"
            r"(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|credential|signature|private[_-]?key)"
            r"[\w.-]*"
            r"[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&}]+",
            re.IGNORECASE,
        ),
        rf"\g<before>{HIDDEN}",
    ),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace secrets in a text by `***`: the given ones in all of their spellings, and everything that looks like one.

    Passwords in URLs, AWS keys, private keys, tokens of well-known services and JSON web tokens look like secrets, and
    so do values that are named password, secret, token or key.

    Args:
        text: a text from another program.
        secrets: values that must not appear; those with fewer than `MIN_LENGTH` characters are ignored.
    """
    text = replace_spellings(text, spell_out(secrets))
    for form, replacement in _FORMS:
        text = form.sub(replacement, text)
    return text


def replace_spellings(text: str, spellings: Iterable[str]) -> str:
    """Replace the spellings that `spell_out` returned by `***` in a text; nothing else changes."""
    for spelling in spellings:
        text = text.replace(spelling, HIDDEN)
    return text


def spell_out(secrets: Iterable[str]) -> list[str]:
    """Return all spellings of secrets, the longest first, because one may be part of another.

    Args:
        secrets: values that must not appear; those with fewer than `MIN_LENGTH` characters are ignored.
    """
    return sorted({spelling for secret in secrets for spelling in _spellings(secret)}, key=len, reverse=True)


def _spellings(secret: str) -> set[str]:
    """Return the spellings of a secret: unchanged, as in URLs, quoted as Python or JSON does, and as HTTP sends it."""
    stripped = secret.strip()
    forms = {
        stripped,
        unquote(stripped),
        quote(stripped),
        quote(stripped, safe=""),
        quote_plus(stripped),
        repr(stripped)[1:-1],
    }
    # The header of HTTP's basic authentication, of user:password as it is and as a URL spells it.
    forms |= {base64.b64encode(pair.encode()).decode() for pair in (stripped, unquote(stripped)) if ":" in pair}
    forms |= {line.strip() for line in stripped.splitlines()}
    return {form for form in forms if len(form) >= MIN_LENGTH}


def secrets_of_url(url: str) -> set[str]:
    """Return every part of a target's URL that may be a secret: the whole URL, user and password, path and parameter
    values, and a host without a dot.

    Services put the token in different parts: Slack in host and path, PagerDuty in user and host.
    """
    _, _, rest = url.partition("://")
    credentials, at, address = rest.rpartition("@")
    host = re.split(r"[/?#:]", address)[0]
    public = {host} if "." in host else set()
    parts = {part for part in re.split(r"[/?&:#=]", address) if len(part) >= 2 * MIN_LENGTH} - public
    return {url, rest, *parts, *((credentials, *credentials.split(":")) if at else ())}
