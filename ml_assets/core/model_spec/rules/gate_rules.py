"""Rules between the gates of a model, the slices of its evaluation, and its entity."""

from collections.abc import Mapping, Sequence

from ml_assets.core.model_spec.deployment import Deployment
from ml_assets.core.model_spec.evaluation import Evaluation, Gate
from ml_assets.core.model_spec.types.metric_names import WITHOUT_SLICES, GateMetric, metric_range
from ml_assets.core.model_spec.types.numbers import format_number


def check_gates(gates: Mapping[GateMetric, Gate], slices: Sequence[str]) -> None:
    """Check that gates can be passed, and that slice bounds are only on metrics that are measured on slices.

    Args:
        gates: the gates by metric.
        slices: columns of the slices.

    Raises:
        ValueError: names the gate and the reason.
    """
    for metric, gate in gates.items():
        for field, bound in gate:
            low, high = metric_range(metric)
            if bound is not None and not low <= bound <= high:
                raise ValueError(
                    f"gates.{metric}: {field} {format_number(bound)} is not within {low:g} to {high:g}, the range of"
                    f" {metric}"
                )
        if gate.has_slice_bounds() and not slices:
            raise ValueError(f"gates.{metric}: slice_minimum and slice_maximum need evaluation.slices, which is empty")
        if gate.has_slice_bounds() and metric in WITHOUT_SLICES:
            raise ValueError(
                f"gates.{metric}: slice_minimum and slice_maximum are not for {metric}, which is not measured on slices"
            )


def check_without_entity(evaluation: Evaluation, gates: Mapping[GateMetric, Gate], deployment: Deployment) -> None:
    """Check that no setting of a model without an entity needs one.

    Raises:
        ValueError: names the field that needs it.
    """
    if evaluation.exclude_known_positives or "entity_precision_at_k" in gates:
        raise ValueError("entity is missing: exclude_known_positives and entity_precision_at_k need it")
    if deployment.canary is not None and deployment.canary.divides_entities:
        raise ValueError(
            "entity is missing: deployment.canary divides the entities between champion and challenger; without "
            "one, its steps can be [0, 100]"
        )
