"""Every remedy of the doctor is carried out: a state is broken, the doctor names the remedy, and afterwards it is OK.

A case is a generator: it breaks the state and yields the diagnosis, carries out the remedy and yields the diagnosis.
"""

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
import zoneinfo
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import boto3
import dagster as dg
import pytest
import yaml
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorStatus

import ml_assets.definitions as entry_point
from ml_assets.cli.commands import instance as instance_command
from ml_assets.cli.doctor import code_location as definitions_module
from ml_assets.cli.doctor import context as context_module
from ml_assets.cli.doctor.checks import CHECKS
from ml_assets.cli.doctor.context import CodeLocation, DoctorContext
from ml_assets.cli.home import create_home
from ml_assets.core.model_spec.defs_yaml.model_files import find_model_files
from ml_assets.core.operations.doctor.diagnosis import Diagnosis, Severity
from ml_assets.core.operations.doctor.environment_checks import environment, landing
from ml_assets.core.operations.doctor.storage_checks import releases
from ml_assets.defs.settings import read_settings
from ml_assets.pipeline.code_location.folder_definitions import Folder
from ml_assets.resources.probes import instance_probe, storage_probe
from ml_assets.resources.probes.mlflow_probe import mlflow_head
from ml_assets.resources.storage.conditional_puts import problem_of_conditional_puts
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.cli.command_line import call
from ml_assets_tests.cli.commands.test_doctor import REPOSITORY, settings_of
from ml_assets_tests.cli.remedies.remedy_texts import remedies
from ml_assets_tests.cli.remedies.test_named_commands import groups as command_groups
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store
from ml_assets_tests.resources.probes import test_instance_probe
from ml_assets_tests.resources.release import test_restoration
from ml_assets_tests.resources.storage.test_conditional_puts import proxy, refusal, without_condition
from ml_assets_tests.support.clock import stop_clock
from ml_assets_tests.support.http_server import QuietHandler, http_server

LOAD = definitions_module.load_code_location
REMEDIES: dict[str, list[Callable[[Any], Iterator[Diagnosis]]]] = {}


def remedy(*texts: str):
    """Register a case for the remedies that begin with these texts."""

    def register(case: Callable[[Any], Iterator[Diagnosis]]) -> Callable[[Any], Iterator[Diagnosis]]:
        for text in texts:
            REMEDIES.setdefault(text, []).append(case)
        return case

    return register


class Machine:
    """A machine on which everything is there, and the fixtures of the test."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
        self.root, self.patch, self.request = root, patch, request
        self.home = root / "dagster"
        self.settings = settings_of(root)

    def check(self, name: str, **changes: Any) -> Diagnosis:
        """Run one check of the doctor, as a new process does."""
        check = next(check for check in CHECKS if check.name == name)
        with DoctorContext(replace(self.settings, **changes)) as context:
            diagnosis = check.run(context)
        assert diagnosis is not None
        return diagnosis

    def configure(self, **changes: Any) -> None:
        """Write a dagster.yaml that differs from the repository's in these sections; None removes a section."""
        content = {
            **yaml.safe_load((REPOSITORY / "ml_assets/resources/dagster_instance/dagster.yaml").read_text()),
            **changes,
        }
        (self.home / "dagster.yaml").unlink(missing_ok=True)
        kept = {name: value for name, value in content.items() if value is not None}
        (self.home / "dagster.yaml").write_text(yaml.safe_dump(kept))

    def link(self) -> None:
        """Use the repository's dagster.yaml."""
        (self.home / "dagster.yaml").unlink(missing_ok=True)
        (self.home / "dagster.yaml").symlink_to(REPOSITORY / "ml_assets/resources/dagster_instance/dagster.yaml")

    def run(self, program: str, *arguments: str) -> None:
        """Run a command as the remedy names it, in the repository; it fails as it would in a shell."""
        self.patch.setenv("DAGSTER_HOME", str(self.home))
        self.patch.chdir(REPOSITORY)
        command_groups()[program].main(list(arguments), prog_name=program, standalone_mode=False)


@pytest.fixture(scope="module")
def code_location() -> CodeLocation:
    """Load the definitions once."""
    return LOAD()


@pytest.fixture
def machine(tmp_path, monkeypatch, request, code_location) -> Machine:
    """Return a healthy machine."""
    monkeypatch.setattr(context_module, "load_code_location", lambda: code_location)
    return Machine(tmp_path, monkeypatch, request)


def test_every_remedy_of_the_doctor_is_carried_out_by_a_case():
    starts = {text: max((s for s in REMEDIES if text.startswith(s)), key=len, default=None) for text in remedies()}
    assert [text for text, start in starts.items() if start is None] == []
    assert REMEDIES.keys() - set(starts.values()) == set()


def cases() -> Iterator[Any]:
    """Yield each case with its remedy."""
    for start, registered in REMEDIES.items():
        for case in registered:
            yield pytest.param(start, case, id=f"{case.__name__}: {start[:40]}", marks=getattr(case, "marks", ()))


def slow(case):
    """Mark a case that starts a server."""
    case.marks = pytest.mark.slow
    return case


# The environment.


@remedy("correct the variable")
def variable(machine):
    for value in ("staging", "local"):
        try:
            read_settings({"ML_ASSETS_ENV": value})
            yield environment(None)
        except ValueError as error:
            yield environment(str(error))


@remedy("Create it, or correct {}.", "create it, or correct the variable")
def folder_to_create(machine):
    names = {"landing": machine.root / "landing", "dagster_home": machine.home}
    check = "landing" if machine.start.startswith("C") else "dagster_home"
    machine.link()
    shutil.rmtree(names[check])
    yield machine.check(check)
    names[check].mkdir()
    machine.link() if check == "dagster_home" else None
    yield machine.check(check)


@remedy("Correct {}.")
def file_in_place_of_a_folder(machine):
    (machine.root / "file").touch()
    yield machine.check("lake", lake=str(machine.root / "file"))
    yield machine.check("lake", lake=str(machine.root / "lake"))


@remedy("Grant the permission")
def permission(machine):
    readable = storage_probe.os.access
    machine.patch.setattr(storage_probe.os, "access", lambda *_: False)
    yield machine.check("landing")
    machine.patch.setattr(storage_probe.os, "access", readable)
    yield machine.check("landing")


@remedy("Create it, or correct the URI")
def bucket_to_create(machine):
    _, s3 = machine.request.getfixturevalue("bucket")
    uri = "s3://created-by-a-remedy/landing"
    yield machine.check("landing", landing=uri, s3=s3)
    boto3.client("s3", **s3).create_bucket(Bucket="created-by-a-remedy")
    yield machine.check("landing", landing=uri, s3=s3)


@remedy("Check the endpoint")
def endpoint(machine):
    uri, s3 = machine.request.getfixturevalue("bucket")
    machine.patch.setenv("AWS_MAX_ATTEMPTS", "1")
    yield machine.check("landing", landing=uri, s3={**s3, "endpoint_url": "http://127.0.0.1:1"})
    yield machine.check("landing", landing=uri, s3=s3)


@remedy("Set AWS_ACCESS_KEY_ID")
def credentials(machine):
    uri, s3 = machine.request.getfixturevalue("bucket")
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    keys = {name: os.environ[name] for name in names}
    machine.patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        machine.patch.setenv(name, str(machine.root / "none"))
    for name in names:
        machine.patch.delenv(name)
    yield machine.check("landing", landing=uri, s3=s3)
    for name in names:
        machine.patch.setenv(name, keys[name])
    yield machine.check("landing", landing=uri, s3=s3)


@remedy("Check that the credentials", "Check bucket, region")
def store_that_refuses(machine):
    uri, s3 = machine.request.getfixturevalue("bucket")
    code = "AccessDenied" if "credentials" in machine.start else "InvalidRequest"
    status = 403 if code == "AccessDenied" else 400
    with proxy(s3["endpoint_url"], lambda *_: refusal(status, code)) as refusing:
        objects = open_objects(uri, {**s3, "endpoint_url": refusing.address})
        yield landing(uri, storage_probe.read_problem(objects, "ML_ASSETS_LANDING"))
    yield landing(uri, storage_probe.read_problem(open_objects(uri, s3), "ML_ASSETS_LANDING"))


@remedy("Commits to the lake rely on that")
def store_without_conditional_puts(machine):
    uri, s3 = machine.request.getfixturevalue("bucket")
    with proxy(s3["endpoint_url"], without_condition) as careless:
        yield landing(uri, problem_of_conditional_puts(open_objects(uri, {**s3, "endpoint_url": careless.address})))
    yield landing(uri, problem_of_conditional_puts(open_objects(uri, s3)))


def model_folder(machine, content: str) -> Path:
    """Make a folder of models that the definitions are loaded from."""
    package = machine.root / "models_of_a_remedy"
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        machine.patch.delitem(sys.modules, name)
    (package / "small").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "environment.py").write_text(
        "import dagster as dg\n\n@dg.definitions\ndef environment():\n"
        "    names = ('lake', 'landing', 'registry', 'tracking', 'deploy_target')\n"
        "    return dg.Definitions(resources={n: dg.ResourceDefinition.none_resource() for n in names})\n"
    )
    (package / "small" / "defs.yaml").write_text(content)
    machine.patch.syspath_prepend(machine.root)
    folder = Folder(package, "models_of_a_remedy", machine.root, required=("environment",))
    machine.patch.setattr(entry_point, "load_folder", folder.load)
    machine.patch.setattr(definitions_module, "list_model_files", lambda: find_model_files(package))
    machine.patch.setattr(context_module, "load_code_location", LOAD)
    return package / "small" / "defs.yaml"


GOOD = yaml.safe_dump({"type": "ml_assets.ModelPipeline", "attributes": SMALL})


@remedy("correct the file, and reload")
def broken_model_file(machine):
    file = model_folder(machine, GOOD.replace("target: label", "target: labels"))
    yield machine.check("code_location")
    machine.patch.setenv("DAGSTER_IS_DEFS_VALIDATION_CLI", "1")
    with pytest.raises(entry_point.BrokenDefinitions, match=r"small/defs\.yaml:\d+: .*labels"):
        entry_point.defs()
    file.write_text(GOOD)
    yield machine.check("code_location")


@remedy("run `dg check defs --no-check-yaml`")
def broken_module(machine):
    module = model_folder(machine, GOOD).parents[1] / "environment.py"
    content = module.read_text()
    module.write_text("raise ValueError('a broken module')\n")
    yield machine.check("code_location")
    # `dg check defs` loads the definitions in this way.
    with pytest.raises(ValueError, match="a broken module"):
        entry_point.defs()
    module.write_text(content)
    yield machine.check("code_location")


@remedy("run `dg scaffold defs")
def no_model(machine):
    from dagster.components.component.component_scaffolder import ScaffoldRequest

    from ml_assets.pipeline.component import ModelScaffolder

    file = model_folder(machine, GOOD)
    shutil.rmtree(file.parent)
    yield machine.check("code_location")
    # What `dg scaffold` calls, without the start of its command.
    request = ScaffoldRequest(
        type_name="ml_assets.ModelPipeline",
        target_path=file.parent,
        scaffold_format="yaml",
        project_root=None,
        params=None,
    )
    file.parent.mkdir()
    ModelScaffolder().scaffold(request)
    yield machine.check("code_location")


@remedy("install the package tzdata")
def no_time_zones(machine):
    paths = zoneinfo.TZPATH
    machine.patch.setitem(sys.modules, "tzdata", None)
    try:
        zoneinfo.reset_tzpath([])
        yield machine.check("time_zones")
        machine.patch.delitem(sys.modules, "tzdata")
        yield machine.check("time_zones")
    finally:
        zoneinfo.reset_tzpath(paths)


@slow
@remedy("start `ml-assets ui`, or `dagster-daemon run`")
def no_daemon(machine):
    yield machine.check("daemons")
    (machine.root / "workspace.yaml").write_text("load_from: []\n")
    env = {**os.environ, "DAGSTER_HOME": str(machine.home)}
    command = [str(Path(sys.executable).parent / "dagster-daemon"), "run", "-w", str(machine.root / "workspace.yaml")]
    daemon = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 90
        while (diagnosis := machine.check("daemons")).severity is not Severity.OK and time.monotonic() < until:
            time.sleep(1)
    finally:
        daemon.terminate()
        daemon.wait(60)
    yield diagnosis


@slow
@remedy("switch it on in the UI")
def stopped_schedule(machine):
    machine.run("dagster", "schedule", "stop", "fraud_detection_daily")
    yield machine.check("automation")
    machine.run("dagster", "schedule", "start", "fraud_detection_daily")
    yield machine.check("automation")


@remedy("correct the clock of this machine")
def clock_that_was_set_back(machine):
    of = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("ml_assets"), "__repository__")
    with dg.DagsterInstance.from_config(str(machine.home)) as instance:
        state = test_instance_probe.add_sensor(instance, of, "notifications", InstigatorStatus.DECLARED_IN_CODE)
        test_instance_probe.add_tick(instance, state, datetime.now(UTC))
    stop_clock(machine.patch, instance_probe, datetime.now(UTC) - timedelta(days=1))
    yield machine.check("automation")
    stop_clock(machine.patch, instance_probe, datetime.now(UTC))
    yield machine.check("automation")


@remedy("correct ML_ASSETS_NOTIFY, its", "set ML_ASSETS_NOTIFY to apprise")
def no_target(machine):
    class Accepting(QuietHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

    is_unset = machine.start.startswith("set")
    changes = {"environment": "production", "database": "postgresql://me@127.0.0.1:1/state"} if is_unset else {}
    machine.patch.delenv("ML_ASSETS_NOTIFY", raising=False)
    if is_unset:
        machine.patch.setattr("ml_assets.cli.doctor.probes.outbox", lambda _: SimpleNamespace(database=Reachable()))
    else:
        machine.patch.setenv("ML_ASSETS_NOTIFY", "nowhere://")
    yield machine.check("notifications", **changes)
    with http_server(Accepting) as address:
        machine.patch.setenv("ML_ASSETS_NOTIFY", address.replace("http://", "json://"))
        call("notifications", "test")
        yield machine.check("notifications", **changes)


class Reachable:
    """A database that responds."""

    def reach(self) -> None:
        """Respond."""


@slow
@remedy("set ML_ASSETS_DATABASE=postgresql://user@host/database for the code server")
def notifications_on_the_disk_of_a_pod(machine):
    machine.patch.setenv("ML_ASSETS_NOTIFY", "json://127.0.0.1/hook")
    yield machine.check("notifications", environment="production")
    database = machine.request.getfixturevalue("postgresql").new_database()
    yield machine.check("notifications", environment="production", database=database)


# The instance.


@remedy("set it to the directory that `ml-assets instance` prints")
def no_dagster_home(machine):
    yield machine.check("dagster_home", dagster_home_is_stated=False)
    machine.patch.setattr(instance_command, "require_settings", lambda: machine.settings)
    call("instance")
    yield machine.check("dagster_home")


@remedy("set it to the absolute path")
def relative_home(machine):
    machine.patch.chdir(machine.root)
    yield machine.check("dagster_home", dagster_home="dagster")
    yield machine.check("dagster_home", dagster_home=str(Path("dagster").absolute()))


@remedy("run `ml-assets instance`, which")
def no_settings(machine):
    (machine.home / "dagster.yaml").unlink()
    yield machine.check("dagster_home")
    create_home(machine.settings)
    yield machine.check("dagster_home")


@remedy("set run_retries.enabled", "set run_retries.max", "set run_retries.retry")
def retries(machine):
    configured = {
        "set run_retries.enabled": ({}, {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": False}),
        "set run_retries.max": (
            {"enabled": True, "max_retries": 0, "retry_on_asset_or_op_failure": False},
            {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": False},
        ),
        "set run_retries.retry": (
            {"enabled": True, "max_retries": 1},
            {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": False},
        ),
    }
    before, after = configured[machine.start]
    machine.configure(run_retries=before)
    yield machine.check("run_retries")
    machine.configure(run_retries=after)
    yield machine.check("run_retries")


LIMITS = {"start_timeout_seconds": 180, "cancel_timeout_seconds": 180, "max_runtime_seconds": 21600}


@remedy("set run_monitoring.enabled", "set run_monitoring.{}", "set run_monitoring.free_slots")
def monitoring(machine):
    check = "freed_slots" if "free_slots" in machine.start else "run_monitoring"
    machine.configure(run_monitoring={"enabled": True} if "{}" in machine.start else {})
    yield machine.check(check)
    machine.configure(run_monitoring={"enabled": True, **LIMITS, "free_slots_after_run_end_seconds": 60})
    yield machine.check(check)


@remedy("check dagster.yaml, whether the database runs")
def instance_that_does_not_open(machine):
    machine.configure(no_such_section={})
    yield machine.check("instance")
    machine.link()
    yield machine.check("instance")


@remedy("install the package of the class, or correct dagster.yaml")
def launcher_that_is_not_installed(machine):
    machine.configure(run_launcher={"module": "a_company.launchers", "class": "Launcher"})
    yield machine.check("instance")
    machine.link()
    yield machine.check("instance")


@remedy("Dagster does not work with psycopg 3")
def storage_with_another_driver(machine):
    database = machine.request.getfixturevalue("postgresql").new_database().replace("+psycopg2", "")
    removed = dict.fromkeys(("run_storage", "event_log_storage", "schedule_storage"))
    machine.configure(storage={"postgres": {"postgres_url": database}}, **removed)
    yield machine.check("instance")
    module = "ml_assets.resources.dagster_instance.postgresql_storage"
    custom = {"module": module, "class": "PostgresqlStorage", "config": {"postgres_url": database}}
    machine.configure(storage={"custom": custom}, **removed)
    yield machine.check("instance")


@remedy("remove dagster.yaml and run `ml-assets instance`, or use QueuedRunCoordinator")
def no_queue(machine):
    machine.configure(
        run_coordinator={"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"}, concurrency=None
    )
    yield machine.check("run_queue")
    machine.link()
    yield machine.check("run_queue")


@remedy("run `dagster instance concurrency set", "set concurrency.pools.default_limit")
def pool_limits(machine):
    if machine.start.startswith("run"):
        machine.run("dagster", "instance", "concurrency", "set", "fraud_detection", "0")
    else:
        machine.configure(concurrency={"pools": {"granularity": "run"}})
    yield machine.check("pools")
    machine.run("dagster", "instance", "concurrency", "set", "fraud_detection", "1")
    yield machine.check("pools")


# The stores.


@remedy("remove dagster.yaml and run `ml-assets instance`")
def storage_in_memory(machine):
    in_memory = {"module": "dagster._core.storage.event_log", "class": "InMemoryEventLogStorage", "config": {}}
    machine.configure(event_log_storage=in_memory)
    yield machine.check("storage")
    machine.link()
    yield machine.check("storage")


@slow
@remedy("set ML_ASSETS_DATABASE=postgresql://user@host/database (docs/how-to/postgresql.md)")
def sqlite_in_production(machine):
    yield machine.check("storage", environment="production")
    database = machine.request.getfixturevalue("postgresql").new_database()
    machine.patch.setenv("ML_ASSETS_DATABASE", database)
    (machine.home / "dagster.yaml").unlink()
    (machine.home / "dagster.yaml").symlink_to(
        REPOSITORY / "ml_assets/resources/dagster_instance/dagster-postgres.yaml"
    )
    yield machine.check("storage", environment="production", database=database)


@remedy("stop webserver, daemon and runs")
def old_tables_of_dagster(machine):
    assert machine.check("dagster_schema").severity is Severity.OK
    with sqlite3.connect(machine.home / "history" / "runs.db") as runs:
        runs.execute("UPDATE alembic_version SET version_num = '7e2f3204cf8e'")
    yield machine.check("dagster_schema")
    machine.run("dagster", "instance", "migrate")
    yield machine.check("dagster_schema")


@remedy("stop webserver, daemon and runs")
def old_tables_of_mlflow(machine):
    from alembic import command
    from mlflow.store.db.utils import _get_alembic_config
    from sqlalchemy import create_engine

    uri = new_store(machine.root)
    with create_engine(uri).connect() as connection:
        config = _get_alembic_config(uri)
        config.attributes["connection"] = connection
        command.downgrade(config, "-1")
        connection.commit()
    yield machine.check("mlflow_schema")
    machine.run("mlflow", "db", "upgrade", uri)
    yield machine.check("mlflow_schema")


@remedy("install the version that created the tables, which is newer")
def newer_tables_of_mlflow(machine):
    new_store(machine.root)
    for revision in ("bbbbbbbbbbbb", mlflow_head()):
        with closing(sqlite3.connect(machine.root / "mlflow.db")) as store:
            store.execute("UPDATE alembic_version SET version_num = ?", (revision,))
            store.commit()
        # What the installation of that version changes.
        yield machine.check("mlflow_schema")


class Mlflow(QuietHandler):
    """A server of MLflow with a version."""

    version = b"3.1.4"

    def do_GET(self):
        """Answer with the version."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.version)


class OldMlflow(Mlflow):
    """A server of the major version before."""

    version = b"2.22.0"


@remedy("start the server, or correct MLFLOW_TRACKING_URI", "set MLFLOW_TRACKING_URI to a server", "run a server of")
def mlflow_server(machine):
    if machine.start.startswith("run"):
        with http_server(OldMlflow) as address:
            yield machine.check("mlflow", mlflow=address)
    elif machine.start.startswith("start"):
        yield machine.check("mlflow", mlflow="http://127.0.0.1:1")
    else:
        yield machine.check("mlflow", environment="production")
    with http_server(Mlflow) as address:
        yield machine.check("mlflow", mlflow=address, environment="production")


@remedy("`ml-assets restore {}` restores what was deleted")
def deleted_version(machine):
    machine.patch.setattr(test_restoration.module, "SETTLE_SECONDS", 0.0)
    place = test_restoration.Place(machine.root)
    place.make()
    place.restore()
    place.client.delete_model_version("small", "1")
    yield releases({"small": place.releases().differences()})
    place.restore()
    yield releases({"small": place.releases().differences()})


Usage = namedtuple("Usage", ["total", "used", "free"])


@remedy("free disk space: `retention` in the specification removes old files", "free disk space: see")
def full_disk(machine):
    free = 2**20 if "removes old files" in machine.start else 2**30
    machine.patch.setattr("shutil.disk_usage", lambda _: Usage(2**40, 2**40 - free, free))
    yield machine.check("disk_space")
    machine.patch.setattr("shutil.disk_usage", lambda _: Usage(2**40, 0, 2**40))
    yield machine.check("disk_space")


@remedy("run `chmod -R go= {}`, or share", "run `chmod -R o= {}`")
def state_that_others_can_read(machine):
    umask = {"ML_ASSETS_UMASK": "077" if "go=" in machine.start else "007"}
    machine.patch.setattr(os, "environ", os.environ | umask)
    # The folders of pytest are closed, and with them all that lies in them.
    with TemporaryDirectory(prefix="the doctor ", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        lake = Path(folder) / "lake"
        lake.mkdir()
        lake.chmod(0o755)
        broken = machine.check("permissions", lake=str(lake))
        yield broken
        subprocess.run(shlex.split(broken.remedy.split("`")[1]), check=True)
        yield machine.check("permissions", lake=str(lake))


@remedy("synchronize the clocks")
def clock_that_is_ahead(machine):
    uri, s3 = machine.request.getfixturevalue("bucket")
    measure = storage_probe.measure_bucket_skew
    machine.patch.setattr(
        storage_probe, "measure_bucket_skew", lambda bucket: measure(bucket, lambda: time.time() + 99)
    )
    yield machine.check("clock", lake=uri, s3=s3)
    machine.patch.setattr(storage_probe, "measure_bucket_skew", measure)
    yield machine.check("clock", lake=uri, s3=s3)


@pytest.mark.parametrize(("start", "case"), cases())
def test_a_remedy_mends_what_it_is_named_for(start, case, machine):
    machine.start = start
    broken, mended = case(machine)
    assert broken.severity is not Severity.OK
    assert broken.remedy.startswith(start.partition("{}")[0]), broken
    assert mended.severity is Severity.OK, mended
