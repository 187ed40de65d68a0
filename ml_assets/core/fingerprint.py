"""Fingerprints: what a day of an asset was made from, in 63 bits."""

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path


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
    return int(digest(code, spec_part, list(inputs))[:16], 16) >> 1


@cache
def code_version(*modules: str) -> str:
    """The version of a stage's code: a digest of the source of the modules that it consists of, so nobody has to remember to bump it.

    Args:
        modules: dotted names; they are found, not imported.

    Raises:
        ModuleNotFoundError: when a module does not exist or has no source file.
    """
    return digest([hashlib.sha256(_source(module)).hexdigest() for module in modules])


def _source(module: str) -> bytes:
    found = importlib.util.find_spec(module)
    if found is None or not found.origin or not found.origin.endswith(".py"):
        raise ModuleNotFoundError(f"{module} has no Python source to take a code version from")
    return Path(found.origin).read_bytes().replace(b"\r\n", b"\n")
