"""Fingerprints: what a day of an asset was made from, in 63 bits, and what changed between two of them."""

import hashlib
import importlib.util
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_CORE_IMPORT = re.compile(r"^\s*(?:from|import) (ml_assets\.core\.[\w.]+)", re.MULTILINE)
_SPECIFICATION = "ml_assets.core.model_spec"
PART_BITS, WHOLE_BITS = 10, 33
NEW, CHANGED_CODE, CHANGED_SPEC, CHANGED_INPUT = "new", "changed code", "changed spec", "changed input"
REMOVED = "removed by retention"

EXPIRED = 0
"""Stands in the place of a fingerprint where the rows of a day were removed by retention; no fingerprint is 0."""


def digest(*parts: object) -> str:
    """SHA-256, as 64 hexadecimal digits, of the canonical JSON of `parts` (sorted keys; dates and the like by their
    text).
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(code: str, spec_part: object, inputs: Sequence[object]) -> int:
    """The fingerprint of a day: at least 1 and below 2**63, because a Delta transaction version holds that much.

    From the highest bit down: 10 bits of the digest of the code, 10 of the spec part, 10 of the inputs, and 33 of all
    three together. So `why_changed` can say what changed, and two fingerprints are equal only when all of it is.
    Contents that differ in one of the three have equal fingerprints with odds of 1 in 2**43 (9 million million), in
    more than one of them with less.

    Args:
        code: code version of the stage, see `code_version`.
        spec_part: the part of the spec that the stage reads, JSON-able.
        inputs: what the day is made from, in a fixed order: (day, fingerprint) of input days, (key, digest, size) of
            landed objects.
    """
    parts = (code, spec_part, list(inputs))
    made = 0
    for part in parts:
        made = made << PART_BITS | _leading_bits(digest(part), PART_BITS)
    # The lowest bits are never all 0, so that 0 is free for what is no fingerprint.
    return made << WHOLE_BITS | max(_leading_bits(digest(*parts), WHOLE_BITS), 1)


def why_changed(committed: int | None, expected: int) -> tuple[str, ...]:
    """Why a day with the fingerprint `committed` has to be made again to have the fingerprint `expected`; empty when it
    has it already.

    NEW alone for a day that was never committed, REMOVED for one whose rows retention removed; else each of
    CHANGED_CODE, CHANGED_SPEC and CHANGED_INPUT that holds. A change is overlooked with odds of 1 in 1024; where
    nothing else changed it is then called CHANGED_INPUT, so a day that differs always has a reason.
    """
    if committed is None:
        return (NEW,)
    if committed == EXPIRED:
        return (REMOVED,)
    if committed == expected:
        return ()
    differing = (committed ^ expected) >> WHOLE_BITS
    names = (CHANGED_CODE, CHANGED_SPEC, CHANGED_INPUT)
    changed = tuple(
        name
        for place, name in zip((2, 1, 0), names, strict=True)
        if differing >> place * PART_BITS & (1 << PART_BITS) - 1
    )
    return changed or (CHANGED_INPUT,)


def _leading_bits(hexadecimal: str, bits: int) -> int:
    return int(hexadecimal[:16], 16) >> 64 - bits


@cache
def code_version(*modules: str) -> str:
    """The version of a stage's code, so that nobody has to remember to bump one.

    It is a digest of the source of `modules` and of every module of the core that they import, directly or not. The
    specification is left out: each stage puts the part that it reads into its fingerprints.

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
            waiting += [
                name for name in _CORE_IMPORT.findall(found[module].decode()) if not name.startswith(_SPECIFICATION)
            ]
    return digest([[module, hashlib.sha256(source).hexdigest()] for module, source in sorted(found.items())])


def _source(module: str) -> bytes:
    found = importlib.util.find_spec(module)
    if found is None or not found.origin or not found.origin.endswith(".py"):
        raise ModuleNotFoundError(f"{module} has no Python source to take a code version from")
    return Path(found.origin).read_bytes().replace(b"\r\n", b"\n")
