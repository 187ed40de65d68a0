"""The probes of the doctor's checks: each measures the arguments of a rule, or raises NotMeasured."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ml_assets.cli.doctor.context import DoctorContext, NotMeasured
from ml_assets.defs.environment import build_environment, notifier, outbox, shares_with_group
from ml_assets.resources.databases.postgresql_uri import with_driver
from ml_assets.resources.databases.uri_secrets import scrub, without_credentials, without_password
from ml_assets.resources.mlflow.connection import sqlite_path
from ml_assets.resources.mlflow.experiments import explain_deleted, find_experiment
from ml_assets.resources.notifications.database import NotificationsUnavailable
from ml_assets.resources.probes import database_probe, instance_probe, permission_probe, storage_probe
from ml_assets.resources.release.releases import Releases
from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.open_store import SECONDS_TO_ANSWER, open_objects

Values = Sequence[Any]


def probe_location(
    find_problem: Callable[[Directory | Bucket, str], str | None], name: str, variable: str
) -> Callable[[DoctorContext], Values]:
    """Make a probe of a directory or bucket.

    Args:
        find_problem: tries to use the location.
        name: the field of the settings with its URI.
        variable: the environment variable that names it.
    """

    def probe(context: DoctorContext) -> Values:
        uri = getattr(context.settings, name)
        if uri is None:
            raise NotMeasured
        return uri, find_problem(open_objects(uri, context.settings.s3, SECONDS_TO_ANSWER), variable)

    return probe


def probe_dagster_home(context: DoctorContext) -> Values:
    """Return the stated DAGSTER_HOME, whether it is a directory, and whether it has a dagster.yaml."""
    home = context.settings.dagster_home if context.settings.dagster_home_is_stated else None
    return home, context.home.is_dir(), (context.home / "dagster.yaml").is_file()


def probe_damaged_state(context: DoctorContext) -> Values:
    """Return a message for each state file that is damaged or missing."""
    return (list(context.damages),)


def probe_instance(context: DoctorContext) -> Values:
    """Return the reason why the instance does not open, None when it opens, and classes that cannot be imported."""
    opened = context.instance_or_problem
    if context.damaged_home:
        raise NotMeasured
    return (opened, []) if isinstance(opened, str) else (None, context.missing_classes)


def probe_daemons(context: DoctorContext) -> Values:
    """Return the ages of the daemons' heartbeats, and the age that is tolerated."""
    ages = instance_probe.read_heartbeat_ages(context.complete_instance)
    return ages, instance_probe.DAEMON_TOLERANCE_SECONDS, context.production


def probe_mlflow(context: DoctorContext) -> Values:
    """Return the address and the state of MLflow's store, and the version of the client."""
    uri, store = context.settings.mlflow, context.mlflow
    if store.problem and context.damaged_mlflow:
        raise NotMeasured
    problem = store.problem and scrub(store.problem, uri)
    return without_credentials(uri), store.kind, problem, store.server, version("mlflow"), context.production


def probe_mlflow_schema(context: DoctorContext) -> Values:
    """Return the revision of MLflow's tables, the one that is needed, the store, and whether the revision is known."""
    store = context.mlflow
    if store.head is None:
        raise NotMeasured
    return store.revision, store.head, without_password(context.settings.mlflow), store.is_known


def probe_releases(context: DoctorContext) -> Values:
    """Return, for each model, the differences from its release ledger, and whether somebody deleted its experiment."""
    settings = context.settings
    if context.mlflow.problem is not None or not all(map(context.answers, (settings.lake, settings.deploy))):
        raise NotMeasured
    resources = build_environment(settings).resources or {}
    lake, registry, target = resources["lake"], resources["registry"], resources["deploy_target"]
    problems = {}
    for model in context.definitions.time_zones:
        experiment = None
        # A store that does not exist is not created.
        if registry.may_hold_models():
            experiment = explain_deleted(find_experiment(registry.client, model), settings.mlflow, model)
        problems[model] = [
            *([experiment] if experiment else []),
            *Releases(lake, registry, target, model).differences(),
        ]
    return (problems,)


def probe_notifications(context: DoctorContext) -> Values:
    """Return the targets, the reason why targets or database cannot be used, and whether the database is local."""
    settings, problem, targets = context.settings, None, []
    try:
        targets = notifier().targets
        # The SQLite file is created by the first notification, not by this probe.
        if settings.database is not None:
            outbox(settings).database.reach()
    except (NotificationsUnavailable, ValueError) as unusable:
        problem = str(unusable)
    return targets, problem, settings.database is None, context.production


def probe_clocks(context: DoctorContext) -> Values:
    """Return the skew to the clock of each remote store."""
    settings, skews = context.settings, {}
    lake = open_objects(settings.lake, settings.s3, SECONDS_TO_ANSWER)
    try:
        if isinstance(lake, Bucket) and (skew := storage_probe.measure_bucket_skew(lake)) is not None:
            skews["the store of the lake"] = skew
        if settings.database is not None:
            skews["the database"] = database_probe.measure_database_skew(with_driver(settings.database))
    except Exception as unreachable:
        if not isinstance(unreachable, ConnectionError) and not type(unreachable).__module__.startswith("botocore."):
            raise
        # The checks of the stores report it.
        raise NotMeasured from unreachable
    return (skews,)


def probe_disks(context: DoctorContext) -> Values:
    """Return the folder of local state with the least free space, and its free bytes."""
    settings = context.settings
    stores = [open_objects(uri, {}) for uri in (settings.lake, settings.landing) if not uri.startswith("s3://")]
    folders = [context.home, *(store.root for store in stores if isinstance(store, Directory))]
    if (fullest := storage_probe.find_fullest_disk(folders)) is None:
        raise NotMeasured
    return *fullest, context.production


def probe_permissions(context: DoctorContext) -> Values:
    """Return who can read the folders of local state, and whether their group is meant to."""
    settings = context.settings
    uris = (settings.lake, settings.deploy, settings.artifacts or "s3://")
    folders = [Path(uri.removeprefix("file://")) for uri in uris if "://" not in uri.removeprefix("file://")]
    if (database := sqlite_path(settings.mlflow)) is not None:
        folders += [database, database.parent / "mlartifacts"]
    return permission_probe.find_readers([context.home, *folders]), shares_with_group()
