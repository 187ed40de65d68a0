"""Spellings of a secret that URLs, headers, JSON, Python and HTML write, to scan stored state and output for them."""

import base64
import html
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus


def spellings(secret: str) -> set[str]:
    """Return the spellings of a secret, given as it is."""
    encoded = {quote(secret), quote(secret, safe=""), quote_plus(secret), quote(secret, safe="!$&'()*+,;=")}
    encoded |= {text.replace("%2F", "%2f").replace("%3A", "%3a").replace("%2B", "%2b") for text in encoded}
    return {
        secret,
        *encoded,
        *(quote(text, safe="") for text in encoded),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret)[1:-1])[1:-1],
        html.escape(secret),
        base64.b64encode(secret.encode()).decode(),
    }


def secrets_in_text(text: str, secrets: Iterable[str]) -> set[str]:
    """Return the spellings of secrets that a text contains."""
    return {spelling for secret in secrets for spelling in spellings(secret) if spelling in text}


def secrets_in_files(folder: Path, secrets: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (file, spelling) of each secret that a file of a folder contains, databases and logs included."""
    texts = {spelling.encode() for secret in secrets for spelling in spellings(secret)}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for text in texts:
            if text in content:
                yield str(path.relative_to(folder)), text.decode()
