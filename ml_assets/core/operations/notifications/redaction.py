"""Redaction of secrets in text: configured secrets by value, others by their form."""

import base64
import html
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote

HIDDEN = "***"
# Shorter values also occur in ordinary sentences.
MIN_LENGTH = 4

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    # The password in a URL may contain any character except a space.
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
    """Replace secrets in a text by `***`: the given secrets in all spellings, and everything that looks like a secret.

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


def replace_spellings(text: str, spellings: Iterable[re.Pattern[str]]) -> str:
    """Replace only the spellings from `spell_out` in a text by `***`."""
    for spelling in spellings:
        text = spelling.sub(HIDDEN, text)
    return text


def spell_out(secrets: Iterable[str]) -> list[re.Pattern[str]]:
    """Return a pattern of all spellings of each secret, the longest first, because one may be part of another.

    Args:
        secrets: values that must not appear; those with fewer than `MIN_LENGTH` characters are ignored.
    """
    values = {value for secret in secrets for value in _values(secret) if len(value) >= MIN_LENGTH}
    return [_spellings(value) for value in sorted(values, key=len, reverse=True)]


def _values(secret: str) -> Iterator[str]:
    """Yield a secret, its lines, and its encoding in HTTP basic authentication."""
    stripped = secret.strip()
    decoded = unquote(stripped)
    yield decoded
    # Bytes that are not UTF-8 do not survive decoding.
    if "\N{REPLACEMENT CHARACTER}" in decoded:
        yield stripped
    for pair in (stripped, decoded):
        yield base64.b64encode(pair.encode(errors="replace")).decode()
    yield from (line.strip() for line in stripped.splitlines())


@lru_cache(maxsize=1024)
def _spellings(value: str) -> re.Pattern[str]:
    """Return the pattern of a value whose characters may each be literal, or escaped as in a URL, JSON, Python, SQL or
    HTML.
    """
    return re.compile("".join(_spellings_of_run(run.group()) for run in re.finditer(r"\\+|.", value, re.DOTALL)))


def _spellings_of_run(run: str) -> str:
    """Return the pattern of one character, or of a run of backslashes, which up to four levels of quoting double."""
    if run.isascii() and run.isalnum():
        return run
    if run.startswith("\\"):
        encoded = rf"(?:%(?:25)*5[cC]){{{len(run)}}}"
        return rf"(?:\\{{{len(run)},{16 * len(run)}}}|{encoded})"
    # A percent sign may itself be encoded repeatedly.
    in_url = "".join(f"%(?:25)*{byte:02x}" for byte in run.encode(errors="replace"))
    in_url += "|%(?:25)*2b" if run == " " else ""
    units = run.encode("utf-16-be", errors="replace").hex()
    in_json = "".join(rf"\\+u{units[begin : begin + 4]}" for begin in range(0, len(units), 4))
    in_python = rf"\\+x{ord(run):02x}" if ord(run) < 256 else rf"\\+U{ord(run):08x}"
    as_it_is = {run, html.escape(run), f"&#{ord(run)};"}
    as_it_is |= {" ": {"+"}, "+": {" "}, "'": {"''", "&#39;"}}.get(run, set())
    forms = "|".join(sorted(map(re.escape, as_it_is), key=len, reverse=True))
    return rf"(?:\\{{0,15}}(?:{forms})|(?i:{in_url}|{in_json}|{in_python}))"


def without_parameters(urls: str) -> str:
    """Return URLs, separated by spaces or commas, without their parameters (`?name=value&...`). A question mark that no
    name follows may belong to a password.
    """
    return re.sub(r"\?[\w.+-]+=[^\s,]*", "", urls)


def secrets_of_url(url: str) -> set[str]:
    """Return every part of a target's URL that may be a secret: the whole URL, user and password, path and parameter
    values, and a host without a dot.

    apprise URLs have the token in different parts: Slack in host and path, PagerDuty in user and host.
    """
    _, _, rest = url.partition("://")
    # Parameters of a mail server's URL hold addresses with another `@`.
    authority = without_parameters(rest)
    credentials, at, _ = authority.rpartition("@")
    address = rest[len(credentials) + len(at) :]
    host = re.split(r"[/?#:]", address)[0]
    public = {host} if "." in host else set()
    parts = {part for part in re.split(r"[/?&:#=]", address) if len(part) >= 2 * MIN_LENGTH} - public
    return {url, rest, *parts, *((credentials, *credentials.split(":")) if at else ())}
