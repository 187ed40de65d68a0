"""What the doctor looks at: facts of the instance, the stores, the places and the definitions, each handed to the rule
that judges it.
"""

import shutil
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ml_assets.cli.spec_files import read_spec
from ml_assets.core.operations.doctor import environment_checks as operation_rules
from ml_assets.core.operations.doctor import instance_checks as instance_rules
from ml_assets.core.operations.doctor import storage_checks as state_rules
from ml_assets.core.operations.doctor.diagnosis import Diagnosis, error
from ml_assets.definitions import DEFS, defs
from ml_assets.defs.environment import notifier, outbox
from ml_assets.defs.settings import Settings
from ml_assets.resources.dagster_instance import instance_facts
from ml_assets.resources.databases.postgresql_uri import with_driver
from ml_assets.resources.databases.uri_secrets import scrub, shown
from ml_assets.resources.notifications.database import NotificationsUnavailable
from ml_assets.resources.probes import database_probe as store_facts
from ml_assets.resources.probes import storage_probe as place_facts
from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.open_store import open_objects

if TYPE_CHECKING:
    import dagster as dg


@dataclass(frozen=True)
class CodeLocation:
    """The definitions as far as they load: pools with their assets, schedules and sensors with whether they are
    declared on, time zones of models.
    """

    problem: str | None = None
    pools: Mapping[str, list[str]] = field(default_factory=dict)
    automation: Mapping[str, bool] = field(default_factory=dict)
    time_zones: Mapping[str, str] = field(default_factory=dict)


def examine(settings: Settings) -> list[Diagnosis]:
    """Look at everything that these settings name. Nothing is changed but an empty file that is put into a place and
    removed again.

    What cannot be looked at because something before it is wrong is left out; what fails in a way that nobody thought
    of is an error of its check.
    """
    location = load_code_location()
    parts: list[tuple[str, Callable[[], Iterator[Diagnosis]]]] = [
        ("code_location", partial(_code_location, location)),
        ("instance", partial(_instance, settings, location)),
        ("mlflow", partial(_mlflow, settings)),
        ("landing", partial(_places, settings)),
        ("notifications", partial(_notifications, settings)),
        ("clock", partial(_clock, settings)),
        ("disk_space", partial(_disk_space, settings)),
    ]
    return [found for name, part in parts for found in _guarded(name, part, settings)]


def _guarded(name: str, part: Callable[[], Iterator[Diagnosis]], settings: Settings) -> Iterator[Diagnosis]:
    try:
        yield from part()
    except Exception as problem:
        yield error(
            name,
            f"it could not be looked at: {_told(problem, settings)}",
            "mend the other errors first and run `make doctor` again",
        )


def _told(problem: Exception, settings: Settings) -> str:
    """What an exception and its causes say, in a line and without credentials."""
    told: list[str] = []
    cause: BaseException | None = problem
    while cause is not None:
        told.append(f"{type(cause).__name__}: {str(getattr(cause, 'orig', cause)).strip().partition(chr(10))[0]}")
        cause = cause.__cause__
    return scrub("; ".join(told), settings.database, settings.mlflow)


def load_code_location() -> CodeLocation:
    """The definitions of this project."""
    import dagster as dg

    try:
        repository = defs().get_repository_def()
        zones = {spec.name: spec.source.time_zone for spec in map(read_spec, sorted(DEFS.glob("*/defs.yaml")))}
    except Exception as problem:
        return CodeLocation(
            f"the definitions do not load: {type(problem).__name__}: {str(problem).strip().partition(chr(10))[0]}"
        )
    declared = {each.name: each.default_status is dg.DefaultScheduleStatus.RUNNING for each in repository.schedule_defs}
    declared |= {each.name: each.default_status is dg.DefaultSensorStatus.RUNNING for each in repository.sensor_defs}
    return CodeLocation(None, instance_facts.used_pools(set(repository.assets_defs_by_key.values())), declared, zones)


def _code_location(location: CodeLocation) -> Iterator[Diagnosis]:
    yield operation_rules.code_location(location.time_zones, location.problem)
    if location.problem is None:
        yield operation_rules.time_zones(location.time_zones, zoneinfo.available_timezones())


def _instance(settings: Settings, location: CodeLocation) -> Iterator[Diagnosis]:
    home = Path(settings.dagster_home)
    file = home / "dagster.yaml"
    stated = settings.dagster_home if settings.dagster_home_is_stated else None
    yield (found := instance_rules.dagster_home(stated, home.is_dir(), file.is_file()))
    if found.remedy:
        return
    production = settings.environment == "production"
    stated_settings: dict[str, Any] = yaml.safe_load(file.read_text()) or {}
    yield instance_rules.run_retries(stated_settings, production)
    yield instance_rules.run_monitoring(stated_settings)
    yield instance_rules.freed_slots(stated_settings)
    import dagster as dg

    try:
        opened = dg.DagsterInstance.from_config(str(home))
    except Exception as problem:
        yield operation_rules.instance(_told(problem, settings))
        return
    with opened as instance:
        yield operation_rules.instance(None)
        yield from _opened(instance, location, production)


def _opened(instance: "dg.DagsterInstance", location: CodeLocation, production: bool) -> Iterator[Diagnosis]:
    yield state_rules.storage(instance_facts.storage_kind(instance), production)
    yield state_rules.dagster_schema(*instance_facts.revisions(instance))
    yield instance_rules.run_queue(instance_facts.has_queue(instance))
    yield operation_rules.daemons(
        instance_facts.seconds_since_heartbeats(instance), instance_facts.DAEMON_TOLERANCE_SECONDS, production
    )
    if location.problem is None:
        yield instance_rules.pools(location.pools, *instance_facts.pool_limits(instance))
        yield operation_rules.automation(*instance_facts.automation(instance, location.automation))


def _mlflow(settings: Settings) -> Iterator[Diagnosis]:
    from importlib.metadata import version

    facts = store_facts.mlflow_facts(settings.mlflow)
    problem = facts.problem and scrub(facts.problem, settings.mlflow)
    production = settings.environment == "production"
    yield state_rules.mlflow(shown(settings.mlflow), facts.kind, problem, facts.server, version("mlflow"), production)
    if facts.head is not None:
        yield state_rules.mlflow_schema(facts.revision, facts.head)
    if settings.artifacts is not None:
        place = open_objects(settings.artifacts, settings.s3)
        yield operation_rules.artifacts(
            settings.artifacts, place_facts.problem_of_writing(place, "MLFLOW_DEFAULT_ARTIFACT_ROOT")
        )


def _places(settings: Settings) -> Iterator[Diagnosis]:
    landing, lake = open_objects(settings.landing, settings.s3), open_objects(settings.lake, settings.s3)
    yield operation_rules.landing(settings.landing, place_facts.problem_of_reading(landing, "ML_ASSETS_LANDING"))
    yield operation_rules.lake(settings.lake, place_facts.problem_of_lake(lake, "ML_ASSETS_LAKE"))
    target = open_objects(settings.deploy, settings.s3)
    yield operation_rules.deploy_target(settings.deploy, place_facts.problem_of_writing(target, "ML_ASSETS_DEPLOY"))


def _notifications(settings: Settings) -> Iterator[Diagnosis]:
    problem, targets = None, []
    try:
        targets = notifier().targets
        # Where nothing was ever told there is no file yet, which is not to be made by looking.
        if settings.database is not None:
            outbox(settings).database.reach()
    except (NotificationsUnavailable, ValueError) as found:
        problem = str(found)
    yield operation_rules.notifications(
        targets, problem, settings.database is None, settings.environment == "production"
    )


def _clock(settings: Settings) -> Iterator[Diagnosis]:
    from botocore.exceptions import BotoCoreError, ClientError

    skews: dict[str, float] = {}
    lake = open_objects(settings.lake, settings.s3)
    # A store that does not answer is the business of the checks before.
    try:
        if isinstance(lake, Bucket) and (skew := store_facts.seconds_ahead_of_bucket(lake)) is not None:
            skews["the store of the lake"] = skew
        if settings.database is not None:
            skews["the database"] = store_facts.seconds_ahead_of_database(with_driver(settings.database))
    except (ConnectionError, BotoCoreError, ClientError):
        return
    yield state_rules.clock(skews)


def _disk_space(settings: Settings) -> Iterator[Diagnosis]:
    places = [
        Path(settings.dagster_home),
        *(place.root for place in map(_directory, (settings.lake, settings.landing)) if place),
    ]
    free = {str(path): shutil.disk_usage(path).free for path in places if path.is_dir()}
    if free:
        scarcest = min(free, key=lambda path: free[path])
        yield state_rules.disk_space(scarcest, free[scarcest], settings.environment == "production")


def _directory(uri: str) -> Directory | None:
    objects = None if uri.startswith("s3://") else open_objects(uri, {})
    return objects if isinstance(objects, Directory) else None
