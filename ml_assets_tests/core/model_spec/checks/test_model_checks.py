"""The checks of predictions and served features warn unless a specification says otherwise."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec.checks.model_checks import (
    MissingShareCheck,
    PredictionQualityCheck,
    ServedFeaturesCheck,
    TargetLeakageCheck,
)


def test_checks_of_production_warn_and_checks_of_features_fail():
    checks = [PredictionQualityCheck(), ServedFeaturesCheck(), MissingShareCheck(), TargetLeakageCheck()]
    assert [check.severity for check in checks] == ["warn", "warn", "error", "error"]


def test_leakage_is_not_suspected_of_a_feature_that_ranks_at_random():
    with pytest.raises(ValidationError, match=r"greater than 0.5"):
        TargetLeakageCheck(roc_auc=0.5)
