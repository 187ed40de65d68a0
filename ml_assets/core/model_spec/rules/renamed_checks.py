"""Names of checks in earlier versions, which a specification may still use, with a warning."""

import warnings
from collections.abc import Mapping
from typing import Any

RENAMED_CHECKS = {
    "no_leak": "target_leakage",
    "same_when_scored": "training_serving_skew",
    "labels_on_time": "label_timeliness",
}
"""Old name to new name of a check: a field of `checks`, and an entry of `checks.accepted`."""


def rename_checks(model: object, checks: Mapping[object, object]) -> dict[object, object]:
    """Replace the old names of checks by the new ones, and warn about each.

    Args:
        model: name of the model, for the warning.
        checks: the field `checks` of a specification, before validation.

    Returns:
        A copy of `checks` with the new names only.

    Raises:
        ValueError: when a check is set under both its old and its new name.
    """
    if both := [f"{old} and {new}" for old, new in RENAMED_CHECKS.items() if old in checks and new in checks]:
        raise ValueError(f"checks: {'; '.join(both)} are the same check; remove the old name, which is the first")
    for old in RENAMED_CHECKS:
        if old in checks:
            _warn(model, f"checks.{old}", old)
    renamed = {RENAMED_CHECKS.get(str(name), name): value for name, value in checks.items()}
    accepted = renamed.get("accepted")
    if isinstance(accepted, Mapping):
        renamed["accepted"] = {day: _rename_accepted(model, day, names) for day, names in accepted.items()}
    return renamed


def accept_former_names(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a specification that accepts the old names of checks as well, as deprecated."""
    checks = schema["$defs"]["Checks"]
    former = {
        old: {**checks["properties"][new], "deprecated": True, "description": f"The former name of {new}."}
        for old, new in RENAMED_CHECKS.items()
    }
    accepting = {**checks, "properties": {**checks["properties"], **former}}
    return {**schema, "$defs": {**schema["$defs"], "Checks": accepting}}


def _rename_accepted(model: object, day: object, names: object) -> object:
    if not isinstance(names, list):
        return names
    for name in names:
        if isinstance(name, str) and name in RENAMED_CHECKS:
            _warn(model, f"checks.accepted.{day}", name)
    return [RENAMED_CHECKS.get(name, name) if isinstance(name, str) else name for name in names]


def _warn(model: object, field: str, old: str) -> None:
    # Python shows a FutureWarning by default, but hides a DeprecationWarning from users.
    warnings.warn(
        f"{model}: {field}: the check {old} is now called {RENAMED_CHECKS[old]}. Rename it in the model's "
        "defs.yaml, because the next version refuses the old name.",
        FutureWarning,
        stacklevel=2,
    )
