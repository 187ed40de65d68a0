"""The provenance of a model: a JSON document of everything that it was trained from, and the days named in it."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib.metadata import version
from math import isfinite
from typing import TYPE_CHECKING

from ml_assets.core.ingestion.file_pattern import day_of_key
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.core.training.time_split import Split

if TYPE_CHECKING:
    from ml_assets.core.training.train import TrainedModel

LIBRARIES = ("xgboost", "numpy", "pandas", "pyarrow", "scikit-learn", "pandera", "deltalake")


def changed_days(then: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[date, int]]) -> list[str]:
    """Return the days, sorted, whose fingerprints differ from those in a provenance.

    Args:
        then: the field `days` of the provenance: fingerprint by asset and day.
        now: the current fingerprints of all days that the model reads, by asset.
    """
    current = {part: {day.isoformat(): f"{value:016x}" for day, value in days.items()} for part, days in now.items()}
    return sorted(
        {
            day
            for part, days in current.items()
            for day in {*days, *then.get(part, {})}
            if days.get(day) != then.get(part, {}).get(day)
        }
    )


def build_provenance(
    spec: ModelSpec,
    day: date,
    split: Split,
    model: "TrainedModel",
    landed_objects: Sequence[Mapping[str, object]],
    fingerprints: Mapping[str, Mapping[date, int]],
    code_versions: Mapping[str, str],
    resolved_spec: ModelSpec,
    search: Mapping[str, object] | None,
    overrides: Mapping[str, object],
) -> bytes:
    """Build the provenance as canonical JSON: the same inputs give the same bytes.

    Args:
        spec: the model's specification.
        day: the day of the model.
        split: the days of fit, early stopping and evaluation.
        model: the trained model.
        landed_objects: day, key, digest and size of every landed object behind the training window.
        fingerprints: asset name to fingerprint of each day that was read, directly or through features.
        code_versions: asset name to code version.
        resolved_spec: the specification with the settings that training used, including the result of a search and
            overrides.
        search: the row of parameter_search, where parameters are searched.
        overrides: training settings of the run that replace those of the specification or of the search.
    """
    # This imports pandas, which a run with nothing to do would otherwise not load.
    from ml_assets.core.training.objectives import stated_parameters

    provenance = {
        "model": spec.name,
        "day": day,
        "digest": model.digest,
        "fit": [split.fit[0], split.fit[-1]],
        "validation": [split.validation[0], split.validation[-1]],
        "holdout": [split.holdout[0], split.holdout[-1]],
        "rows": {
            "window": model.rows,
            **({} if model.positives is None else {"positives": model.positives}),
            "validation": model.validation_rows,
        },
        "landed_objects": list(landed_objects),
        "days": {
            asset: {input_day.isoformat(): f"{value:016x}" for input_day, value in sorted(days.items())}
            for asset, days in fingerprints.items()
        },
        "spec": spec.model_dump(mode="json"),
        "code_versions": dict(code_versions),
        "library_versions": _library_versions(),
        "seed": resolved_spec.training.seed,
        "parameters": stated_parameters(resolved_spec),
        "search": dict(search) if search else None,
        "overrides": dict(overrides),
        "device": model.device,
        "rounds": model.rounds,
        **({} if model.threshold is None else {"threshold": {"value": model.threshold, "note": model.threshold_note}}),
        "metrics": {"validation": {name: value if isfinite(value) else None for name, value in model.metrics.items()}},
    }
    return (json.dumps(provenance, indent=1, sort_keys=True, default=str, allow_nan=False) + "\n").encode()


@cache
def _library_versions() -> dict[str, str]:
    """Return the version of each library; reading them takes longer than the rest of a provenance."""
    return {name: version(name) for name in LIBRARIES}


def days_named(provenance: bytes) -> dict[str, dict[date, int]]:
    """Return the fingerprint by day of each table that a provenance document names: raw_data, validated_data, features,
    the tables of labels, and landed_objects and landed_label_objects for the days with objects.

    Days that did not exist or had been removed when the model was trained are left out, because they have no data to
    keep.

    Raises:
        ValueError: when the document is not the provenance of a model.
    """
    try:
        content = json.loads(provenance)
        named = {
            asset: {date.fromisoformat(day): int(value, 16) for day, value in days.items() if int(value, 16) != EXPIRED}
            for asset, days in content["days"].items()
        }
        files = (content.get("spec", {}).get("labels") or {}).get("files")
        landed: dict[bool, set[date]] = {True: set(), False: set()}
        for entry in content["landed_objects"]:
            is_of_labels = files is not None and day_of_key(files, entry["key"]) is not None
            landed[is_of_labels].add(date.fromisoformat(entry["day"]))
        raw = named["raw_data"]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"the document is not the provenance of a model: {error!r}") from error
    named["landed_objects"] = {day: value for day, value in raw.items() if day in landed[False]}
    if labels := named.get("raw_labels"):
        named["landed_label_objects"] = {day: value for day, value in labels.items() if day in landed[True]}
    return named
