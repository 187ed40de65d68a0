"""Fingerprints: what a day of an asset was made from, in 63 bits."""

import hashlib
import importlib.util
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_CORE_IMPORT = re.compile(r"^\s*(?:from|import) (ml_assets\.core\.[\w.]+)", re.MULTILINE)
_SPECIFICATION = "ml_assets.core.spec"

EXPIRED = 0
"""Stands in the place of a fingerprint where the rows of a day were removed by retention; no fingerprint is 0."""


def digest(*parts: object) -> str:
    """SHA-256, as 64 hexadecimal digits, of the canonical JSON of `parts` (sorted keys; dates and the like by their text)."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(code: str, spec_part: object, inputs: Sequence[object]) -> int:
    """The fingerprint of a day: a positive integer below 2**63, because a Delta transaction version holds that much.

    Args:
        code: code version of the stage, see `code_version`.
        spec_part: the part of the spec that the stage reads, JSON-able.
        inputs: what the day is made from, in a fixed order: (day, fingerprint) of input days, (key, digest, size) of landed objects.
    """
    return int(digest(code, spec_part, list(inputs))[:16], 16) >> 1 or EXPIRED + 1


@cache
def code_version(*modules: str) -> str:
    """The version of a stage's code, so that nobody has to remember to bump one.

    It is a digest of the source of `modules` and of every module of the core that they import, directly or not. The specification is left out: each
    stage puts the part that it reads into its fingerprints.

    Args:
        modules: dotted names; they are found, not imported.

    Raises:
        ModuleNotFoundError: when a module does not exist or has no source file.
    """
    found: dict[str, bytes] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found[module] = _source(module)
            waiting += [name for name in _CORE_IMPORT.findall(found[module].decode()) if not name.startswith(_SPECIFICATION)]
    return digest([[module, hashlib.sha256(source).hexdigest()] for module, source in sorted(found.items())])


def _source(module: str) -> bytes:
    found = importlib.util.find_spec(module)
    if found is None or not found.origin or not found.origin.endswith(".py"):
        raise ModuleNotFoundError(f"{module} has no Python source to take a code version from")
    return Path(found.origin).read_bytes().replace(b"\r\n", b"\n")
