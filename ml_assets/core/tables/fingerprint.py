"""Fingerprints: 63 bits that identify the inputs of a day of an asset, and the reasons why two fingerprints differ."""

import hashlib
import json
from collections.abc import Sequence

PART_BITS, WHOLE_BITS = 10, 33
NEW, CHANGED_CODE, CHANGED_SPEC, CHANGED_INPUT = "new", "changed code", "changed spec", "changed input"
REMOVED = "removed by retention"

EXPIRED = 0
"""The value in place of a fingerprint if retention removed the rows of a day; no fingerprint is 0."""


def digest(*parts: object) -> str:
    """Compute the SHA-256, as 64 hexadecimal digits, of the canonical JSON of `parts` (sorted keys; dates and other
    types as text).
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(code: str, spec_part: object, inputs: Sequence[object]) -> int:
    """Compute the fingerprint of a day: at least 1 and below 2**63, the range of a Delta transaction version.

    From the highest bit down: 10 bits of the digest of the code, 10 of the spec part, 10 of the inputs, and 33 of all
    three together. So `why_changed` can tell which part changed. Two fingerprints are equal only if all three parts
    are, except for collisions: if one part differs, their probability is 1 in 2**43 (9 trillion), and lower if several
    differ.

    Args:
        code: code version of the stage, see `core/tables/code_version.py`.
        spec_part: the part of the spec that the stage reads, JSON-able.
        inputs: the inputs of the day in a fixed order: (day, fingerprint) of input days, (key, digest, size) of landed
            objects.
    """
    parts = (code, spec_part, list(inputs))
    part_bits = 0
    for part in parts:
        part_bits = part_bits << PART_BITS | _leading_bits(digest(part), PART_BITS)
    # The lowest bits are never all 0, so that no fingerprint equals EXPIRED.
    return part_bits << WHOLE_BITS | max(_leading_bits(digest(*parts), WHOLE_BITS), 1)


def supersede(committed: int, reason: str) -> int:
    """Return a fingerprint that matches no inputs, for a day whose rows no longer belong to the fingerprint
    `committed`; `why_changed` reports a changed spec.

    Args:
        committed: the fingerprint of the day.
        reason: the reason why its rows changed.
    """
    parts = committed >> WHOLE_BITS ^ 1 << PART_BITS
    return parts << WHOLE_BITS | max(_leading_bits(digest(committed, reason), WHOLE_BITS), 1)


def why_changed(committed: int | None, expected: int) -> tuple[str, ...]:
    """Return the reasons why a day with the fingerprint `committed` must be recomputed to get the fingerprint
    `expected`; empty if they are equal.

    NEW for a day that was never committed, REMOVED for one whose rows retention removed, otherwise each of
    CHANGED_CODE, CHANGED_SPEC and CHANGED_INPUT that applies. A single change is missed with a probability of 1 in
    1024; if nothing else changed it is then reported as CHANGED_INPUT, so a day that differs always has a reason.
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
        for position, name in zip((2, 1, 0), names, strict=True)
        if differing >> position * PART_BITS & (1 << PART_BITS) - 1
    )
    return changed or (CHANGED_INPUT,)


def _leading_bits(hexadecimal: str, bits: int) -> int:
    return int(hexadecimal[:16], 16) >> 64 - bits
