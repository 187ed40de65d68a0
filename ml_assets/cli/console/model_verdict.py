"""The verdict on the model of a day, which decides the exit status of the main job."""

from datetime import date

from ml_assets.core.evaluation.gates import GateResult
from ml_assets.pipeline.graph.stages import Stages


def failed_gates(stages: Stages, day: date) -> list[GateResult]:
    """Return the gates of the current specification that the model of a day fails, although it may have passed earlier
    gates.
    """
    if not stages.evaluation.metric_rows(day):
        return []
    return [result for result in stages.evaluation.gate_results(day) if result.passed is False]


def is_model_in_order(stages: Stages, day: date) -> bool:
    """Return whether nothing is wrong with the model of a day. A model that is not registered because it may only be as
    good as the champion is in order: the champion stays live.
    """
    gate, failed = stages.training.gate, failed_gates(stages, day)
    if gate.reason(day) or any(result.severity == "error" for result in failed):
        return False
    if failed:
        return not gate.reason_of_evaluation(stages.evaluation, day)
    return not stages.registration.why_not_registered(day)
