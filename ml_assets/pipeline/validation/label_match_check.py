"""The check label_match of validated_labels, and the metadata on labels that belong to no row."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.checks.label_match import DAYS_BEFORE, evaluate_label_match
from ml_assets.core.checks.outcome import apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LABEL_MATCH
from ml_assets.pipeline.steps.check_results import CheckRun, enabled_check_specs, table

if TYPE_CHECKING:
    from ml_assets.pipeline.validation.label_matching import LabelMatching

ABOUT = (
    "Fails when too many labels of a delivery belong to no row (the reason names keys that differ in form only), or "
    "when no labels were delivered although there were some on each of the days before."
)


def label_match_check(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the check, unless it is switched off."""
    return enabled_check_specs(spec.checks, [LABEL_MATCH], key, {LABEL_MATCH: ABOUT})


def evaluate_label_matches(
    spec: ModelSpec, matching: "LabelMatching", days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """Evaluate the check on some days of delivery."""
    if settings := spec.checks.label_match:
        matches = matching.match(days)
        outcomes = [
            evaluate_label_match(LABEL_MATCH, settings, day, matches.get(day), matching.labels_before(day, DAYS_BEFORE))
            for day in days
        ]
        yield CheckRun(key, LABEL_MATCH, apply_accepted_failures(spec.checks, outcomes))


def label_match_metadata(matching: "LabelMatching", day: date) -> Mapping[str, Any]:
    """Return the numbers of labels of a delivery by the state of their rows, and examples of labels without a row."""
    match = matching.match([day]).get(day)
    if match is None:
        return {}
    examples = {"labels_without_row_examples": table(match.examples)} if match.examples else {}
    return {
        "labels": match.labels,
        "labels_without_row": match.without_row,
        "labels_of_other_form": match.other_form,
        "labels_undecided": match.undecided,
        **examples,
    }
