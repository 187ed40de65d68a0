"""Names of assets and tables, and of the checks that more than one module names, each written once."""

import dagster as dg

from ml_assets.core.model_spec import ModelSpec

RAW = "raw_data"
RAW_LABELS = "raw_labels"

VALIDATED = "validated_data"
QUARANTINED = "quarantined_data"
COLUMN_PROFILES = "column_profiles"
LABELS = "validated_labels"
QUARANTINED_LABELS = "quarantined_labels"

FEATURES = "features"
FEATURE_PROFILES = "feature_profiles"
FEATURE_METRICS = "feature_metrics"

SEARCH = "parameter_search"
MODEL = "trained_model"

EVALUATION = "evaluation"
EVALUATION_METRICS = "evaluation_metrics"
CHAMPION_COMPARISON = "champion_comparison"
SCORE_PROFILES = "score_profiles"

ENTRY = "model_registry_entry"
DEPLOYMENT = "deployment"
CANARY_COMPARISON = "canary_comparison"
PREDICTIONS = "predictions"

SERVED_REQUESTS = "served_requests"
PREDICTION_QUALITY = "prediction_quality"
STAGE_COSTS = "stage_costs"

EVERY_DAY_ACCEPTED = "every_day_accepted"
LABEL_MATCH = "label_match"
COLUMN_DRIFT = "column_drift"
MODEL_DUE = "model_due"
NO_INFINITIES = "no_infinities"
MISSING_SHARE = "missing_share"
NOT_CONSTANT = "not_constant"
TARGET_LEAKAGE = "target_leakage"
FEATURE_DRIFT = "feature_drift"
TRAINING_SERVING_SKEW = "training_serving_skew"
METRIC_BOUNDS = "feature_metrics"
SCORE_DRIFT = "score_drift"

LANDED_FILES = "landed_files"
"""Metadata key of an asset that is made from landed files; its value is their pattern."""

LANDED_TO_FEATURES = (RAW, VALIDATED, QUARANTINED, FEATURES)
LABEL_ASSETS = (RAW_LABELS, LABELS, QUARANTINED_LABELS)
MODEL_ASSETS = (MODEL, EVALUATION, ENTRY)
RELEASE_ASSETS = (DEPLOYMENT, PREDICTIONS)


def landed_to_features(spec: ModelSpec) -> tuple[str, ...]:
    """List the assets that follow landed files, features last."""
    return (*(LABEL_ASSETS if spec.labels else ()), *LANDED_TO_FEATURES)


def model_assets(spec: ModelSpec) -> tuple[str, ...]:
    """List the assets that make the model of a day, the registry entry last."""
    return (*([SEARCH] if spec.training.search else []), *MODEL_ASSETS)


def release_assets(spec: ModelSpec) -> tuple[str, ...]:
    """List the assets that decide which versions are live, score with them, and observe them."""
    observed = {SERVED_REQUESTS: spec.deployment.capture, PREDICTION_QUALITY: spec.deployment.quality}
    return (*RELEASE_ASSETS, *(name for name, settings in observed.items() if settings))


def all_assets(spec: ModelSpec) -> tuple[str, ...]:
    """List all assets of a model, in the order of its stages."""
    return (*landed_to_features(spec), *model_assets(spec), *release_assets(spec))


def asset_key(spec: ModelSpec, name: str) -> dg.AssetKey:
    """Build the key of an asset: a prefix, where the component of the model adds one, the name of its model, and its
    own name.
    """
    return dg.AssetKey(spec.key_path(name))


def step_name(spec: ModelSpec, name: str) -> str:
    """Return the name of the step that makes an asset, as in run config. A stage makes all its assets in one step, with
    the name of the first. A prefix of keys does not change it.
    """
    return f"{spec.name}__{name}"


def page_of(key: dg.AssetKey) -> str:
    """Return the path of the page of an asset in Dagster's UI."""
    return f"/assets/{'/'.join(key.path)}"


def model_and_asset(key: dg.AssetKey) -> tuple[str, str] | None:
    """Return the names of the model and of the asset in the key of a model's asset; None for a key that is too short to
    be one.
    """
    return (key.path[-2], key.path[-1]) if len(key.path) > 1 else None
