"""Automation conditions: of assets downstream of a model, and of a model that is not due every day."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import asset_key, model_assets

if TYPE_CHECKING:
    from ml_assets.pipeline.training.due_days import TrainingSchedule


def on_data_change() -> dg.AutomationCondition:
    """Return a variant of `AutomationCondition.eager()` that ignores materializations of unchanged days.

    A run of a model materializes every requested day, and the data version of a day stays the same while its rows do.
    Dagster's own eager() counts each materialization of an upstream asset as an update (`newly_updated`), and a step of
    several days cannot skip the materialization of some. This condition counts only materializations with a new data
    version.

    Like eager(), it looks at the newest day only. To follow changes of earlier days as well, take that part away:
    `on_data_change().without(dg.AutomationCondition.in_latest_time_window())`.
    """
    condition = dg.AutomationCondition
    changed = (condition.data_version_changed() & ~condition.executed_with_root_target()).with_label(
        "data_changed_without_root"
    ) | condition.will_be_requested()
    deps_changed = condition.any_deps_match(changed).with_label("any_deps_changed")
    return condition.eager().replace("any_deps_updated", deps_changed).with_label("on_data_change")


class ModelDue(dg.AutomationCondition):
    """Condition of the days on which a model is due by `training.every`.

    With `training.when` a model may be due on any other day as well, which training decides from the lake, so all days
    pass.

    Args:
        schedule: the days on which a model is due.
        triggers: `training.when`.
    """

    def __init__(self, schedule: "TrainingSchedule", triggers: Sequence[str]):
        self._schedule = schedule
        self._triggers = triggers

    @property
    def name(self) -> str:
        """Text that the UI shows for the condition."""
        others = "".join(f", or {trigger} on the days between" for trigger in self._triggers)
        return f"a model is due by {self._schedule}{others}"

    def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:
        """Return the candidate days on which a model is, or may be, due."""
        days = context.candidate_subset.expensively_compute_partition_keys()
        due = {day for day in days if self._triggers or self._schedule.is_due(date.fromisoformat(day))}
        return dg.AutomationResult(context, context.candidate_subset.compute_intersection_with_partition_keys(due))


def with_due_conditions(spec: ModelSpec, assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """Add a condition to the assets of a model that is not due every day, so that automation skips the other days; an
    asset that has a condition keeps it.

    Args:
        spec: the model's specification.
        assets: the assets of the model.
    """
    from ml_assets.pipeline.training.due_days import TrainingSchedule

    keys = {asset_key(spec, name) for name in model_assets(spec)}
    is_newest = dg.AutomationCondition.in_latest_time_window()
    due = (is_newest & ModelDue(TrainingSchedule(spec), spec.training.when)).with_label("model_due")
    condition = due & on_data_change()

    def add(asset: dg.AssetSpec) -> dg.AssetSpec:
        is_without = asset.key in keys and asset.automation_condition is None
        return asset.replace_attributes(automation_condition=condition) if is_without else asset

    return [definition.map_asset_specs(add) for definition in assets]


def due_sensors(spec: ModelSpec, assets: Sequence[dg.AssetsDefinition]) -> list[dg.AutomationConditionSensorDefinition]:
    """Build the sensor that evaluates these conditions, if assets have them. It is off by default, because the daily
    schedule trains the models that are due.

    The code server evaluates it, because the daemon knows only Dagster's own conditions.

    Args:
        spec: the model's specification.
        assets: the assets with their conditions.
    """
    conditions = {asset.key: asset.automation_condition for definition in assets for asset in definition.specs}
    keys = [key for key, condition in conditions.items() if condition is not None and not condition.is_serializable]
    if not keys:
        return []
    sensor = dg.AutomationConditionSensorDefinition(
        f"{spec.name}_models_due",
        target=dg.AssetSelection.assets(*keys),
        use_user_code_server=True,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Trains, evaluates and registers a model of {spec.name} as soon as its data have changed, on the "
        "days on which one is due.",
    )
    return [sensor]
