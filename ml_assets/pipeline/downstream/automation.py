"""Automation conditions for assets downstream of a model."""

import dagster as dg


def on_data_change() -> dg.AutomationCondition:
    """Return `AutomationCondition.eager()` that ignores materialisations of days that stayed as they are.

    A run of a model materialises every day that it is asked for, and the data version of a day stays while its rows do.
    Dagster's own eager() counts each materialisation of an upstream asset as an update (`newly_updated`), and a step
    of several days cannot leave some of them without one; this condition counts only those with another data version.

    Like eager(), it looks at the newest day only. To follow changes of earlier days as well, take that part away:
    `on_data_change().without(dg.AutomationCondition.in_latest_time_window())`.
    """
    condition = dg.AutomationCondition
    changed = (condition.data_version_changed() & ~condition.executed_with_root_target()).with_label(
        "data_changed_without_root"
    ) | condition.will_be_requested()
    deps_changed = condition.any_deps_match(changed).with_label("any_deps_changed")
    return condition.eager().replace("any_deps_updated", deps_changed).with_label("on_data_change")
