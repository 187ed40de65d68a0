"""What the page of an evaluation says first."""

import pytest

from ml_assets.core.evaluation.gates import GateResult
from ml_assets.pipeline.evaluation.metadata import describe_verdict


@pytest.mark.parametrize(
    ("passed", "verdict"),
    [
        ({"roc_auc": True, "champion": None}, "passes its gates"),
        ({"roc_auc": True, "recall": False, "champion": False}, "does not pass recall, champion"),
        ({"champion": None}, "no gate was evaluated"),
    ],
)
def test_the_verdict_names_the_gates_that_are_not_passed(passed, verdict):
    results = [GateResult(gate, gate, None, None, None, outcome, "") for gate, outcome in passed.items()]
    assert describe_verdict(results) == verdict
