"""Fingerprints: what a day of an asset was made from, in 63 bits, and what changed between two of them."""

import hashlib
import json
from collections.abc import Sequence

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
        code: code version of the stage, see `core/tables/code_version.py`.
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
