"""Rules between the gates and the slices of a model's evaluation."""

from collections.abc import Mapping, Sequence

from ml_assets.core.model_spec.evaluation import WITHOUT_SLICES, Gate, GateMetric


def check_gates(gates: Mapping[GateMetric, Gate], slices: Sequence[str]) -> None:
    """Check that bounds of slices are only on metrics that are measured on slices.

    Args:
        gates: the gates by metric.
        slices: columns of the slices.

    Raises:
        ValueError: names the gate and the reason.
    """
    for metric, gate in gates.items():
        if gate.has_slice_bounds() and not slices:
            raise ValueError(f"gates.{metric}: slice_minimum and slice_maximum need evaluation.slices, which is empty")
        if gate.has_slice_bounds() and metric in WITHOUT_SLICES:
            raise ValueError(
                f"gates.{metric}: slice_minimum and slice_maximum are not for {metric}, which is not measured on slices"
            )
