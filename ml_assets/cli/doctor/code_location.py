"""The definitions of a project as the doctor sees them, or the problem when they do not load."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ml_assets.cli.project import list_model_files, load_definitions, load_spec
from ml_assets.core.operations.failures.error_message import first_line
from ml_assets.pipeline.code_location.broken_model import problems_of
from ml_assets.resources.probes.instance_probe import list_pools


@dataclass(frozen=True)
class CodeLocation:
    """The definitions, or the problem when they do not load.

    pools: the assets of each pool. automation: for each schedule and sensor, whether it is declared on. time_zones: the
    time zone of each model. broken: file, line and reason of each model that does not load.
    """

    problem: str | None = None
    pools: Mapping[str, list[str]] = field(default_factory=dict)
    automation: Mapping[str, bool] = field(default_factory=dict)
    time_zones: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)


def load_code_location() -> CodeLocation:
    """Load the definitions of this project."""
    import dagster as dg

    try:
        definitions = load_definitions()
        # As the webserver, the daemon and `dg check defs` do.
        dg.Definitions.validate_loadable(definitions)
        repository = definitions.get_repository_def()
        specs = [spec for file in list_model_files() if (spec := load_spec(file)) is not None]
    except Exception as problem:
        cause = f": {first_line(problem.__cause__)}" if problem.__cause__ else ""
        why = f"the definitions do not load: {type(problem).__name__}: {first_line(problem)}{cause}"
        return CodeLocation(why, broken=_problems_of_files())
    running = (dg.DefaultScheduleStatus.RUNNING, dg.DefaultSensorStatus.RUNNING)
    off = {f"{spec.name}_daily" for spec in specs if not spec.schedule.enabled}
    off |= {f"{spec.name}_arrivals" for spec in specs if not spec.sensor.enabled}
    # An alternative to the daily schedule.
    off |= {f"{spec.name}_models_due" for spec in specs}
    automation = {
        definition.name: definition.default_status in running
        for definition in (*repository.schedule_defs, *repository.sensor_defs)
        # Switched off by the specification, or off by default.
        if definition.name not in off
    }
    pools = list_pools(set(repository.assets_defs_by_key.values()))
    time_zones = {spec.name: spec.source.time_zone for spec in specs}
    return CodeLocation(None, pools, automation, time_zones, problems_of(repository))


def _problems_of_files() -> dict[str, str]:
    """Return the problem of each model whose file is not valid, for definitions that load all or nothing."""
    with suppress(Exception):
        return {file.name: file.problem for file in list_model_files() if file.problem is not None}
    return {}
