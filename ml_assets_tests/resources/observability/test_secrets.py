"""Runs, ticks and code locations that fail leave no secret of the environment in stored state, logs or output."""

import json
from functools import partial
from pathlib import Path

import dagster as dg
import pytest
import yaml

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.defs.variables import secret_values
from ml_assets.pipeline.steps.check_results import CheckRun, build_check_result
from ml_assets.pipeline.steps.redacted_events import redact_events, redact_failure
from ml_assets.resources.dagster_internals.partition_events import CheckTarget
from ml_assets.resources.dagster_internals.serialized_errors import rewrite_stored_errors
from ml_assets.resources.observability import redaction
from ml_assets_tests.core.operations.notifications.secret_spellings import secrets_in_files, secrets_in_text, spellings
from ml_assets_tests.pipeline.world import START
from ml_assets_tests.support.local_instance import LocalInstance
from ml_assets_tests.test_local_instance import model

SECRETS = {
    "mlflow": "S3cr/t@w:rd+1",
    "postgresql": 'pg"pa&ss 9\\word',
    "parameter": "Qu3ryT0ken-abc",
    "proxy": "pr0xy%pass",
    "aws": "wJalrXUtnFEMI/K7MDENG/bPxRfi",
    "session": "FwoGZXIvYXdzEJr//token==",
    "webhook": "T0K3Nabcdefgh12345678",
    "api": "the-k3y",
}
VARIABLES = {
    "MLFLOW_TRACKING_URI": "https://ann:S3cr%2Ft%40w%3Ard%2B1@mlflow.invalid:5000/?api_key=Qu3ryT0ken-abc",
    "ML_ASSETS_DATABASE": "postgresql://ann:pg%22pa%26ss%209%5Cword@127.0.0.1:9/state",
    "HTTPS_PROXY_OF_A_TEST": "http://ann:pr0xy%25pass@proxy.invalid:3128",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": SECRETS["aws"],
    "AWS_SESSION_TOKEN": SECRETS["session"],
    "ML_ASSETS_NOTIFY": f"https://hooks.slack.com/services/T00000001/B00000001/{SECRETS['webhook']}",
    "ML_ASSETS_API_KEY": SECRETS["api"],
}
EVERY_SPELLING = " ".join(text for secret in SECRETS.values() for text in sorted(spellings(secret)))


@pytest.fixture
def secrets(monkeypatch):
    """Give this process the secrets."""
    monkeypatch.setattr(redaction, "_spellings", tuple(redaction.spell_out(secret_values(VARIABLES))))


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_of_a_variable_is_hidden_in_each_spelling(name, secrets):
    for text in spellings(SECRETS[name]):
        assert redaction.redact_text(f"a {text} b") == "a *** b"


def test_a_part_of_a_password_that_a_library_takes_for_a_port_is_hidden(monkeypatch):
    variables = {"ML_ASSETS_DATABASE": "postgresql://ann:pa55word/rest@host/state"}
    monkeypatch.setattr(redaction, "_spellings", tuple(redaction.spell_out(secret_values(variables))))
    assert "pa55word" not in redaction.redact_text("Port could not be cast to integer value as 'pa55word'")


@pytest.mark.parametrize(
    ("variables", "secret"),
    [
        ({"X": "https://host/path?sig=abcdef123"}, "abcdef123"),
        ({"X": "https://host/path?a=b&X-Amz-Signature=0123abcd"}, "0123abcd"),
        ({"MLFLOW_TRACKING_URI": "https://dapi0123456789abcd@host"}, "dapi0123456789abcd"),
    ],
)
def test_tokens_in_place_of_users_and_in_parameters_are_secrets(variables, secret):
    assert secret in secret_values(variables)


def test_names_of_files_and_timeouts_in_parameters_are_no_secrets():
    assert secret_values({"X": "postgresql://ann@host/db?sslkey=/keys/client.key&keepalives_idle=30"}) == []


def test_the_error_of_a_resource_that_does_not_start_is_stored_without_secrets(secrets):
    @dg.resource
    def broken(_):
        try:
            raise ValueError({"parameters": [EVERY_SPELLING]})
        except ValueError as error:
            raise RuntimeError(f"cannot start: {EVERY_SPELLING}") from error

    @dg.op(required_resource_keys={"broken"})
    def needs_it(): ...

    @dg.job(resource_defs={"broken": broken})
    def job():
        needs_it()

    rewrite_stored_errors(redaction.redact_text)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        stored = " ".join(dg.serialize_value(entry) for entry in instance.all_logs(result.run_id))
    assert "cannot start: ***" in stored
    assert secrets_in_text(stored, SECRETS.values()) == set()


def test_results_of_checks_and_metadata_of_assets_have_no_secrets(secrets):
    outcome = CheckOutcome("a_check", START, False, f"no answer: {EVERY_SPELLING}", lines=[{"line": EVERY_SPELLING}])
    check = build_check_result(CheckRun(dg.AssetKey("a"), "a_check", [outcome]))
    metadata = {"problem": EVERY_SPELLING, "text": dg.MetadataValue.md(EVERY_SPELLING), "rows": 3, "json": [{"a": 1}]}
    evaluation = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("a"),
        check_name="b",
        passed=False,
        metadata={},
        description=EVERY_SPELLING,
        partition="2025-01-01",
        target_materialization_data=CheckTarget(storage_id=7, run_id="r", timestamp=0.0),
    )
    events = list(redact_events([check, dg.MaterializeResult("a", metadata=metadata), evaluation, dg.Output(1)]))
    assert secrets_in_text(repr(events), SECRETS.values()) == set()
    assert events[0].description.startswith(f"{START}: no answer: ***")
    assert events[1].metadata["rows"] == 3
    assert isinstance(events[1].metadata["text"], dg.MarkdownMetadataValue)
    assert (events[2].check_name, events[2].passed, events[2].partition) == ("b", False, "2025-01-01")
    assert events[2].target_materialization_data.storage_id == 7


def test_a_failure_that_a_hook_raises_has_no_secrets(secrets):
    failure = dg.Failure(f"no answer: {EVERY_SPELLING}", metadata={"url": EVERY_SPELLING})
    redact_failure(failure)
    assert str(failure.description).startswith("no answer: ***")
    assert secrets_in_text(repr(vars(failure)) + repr(failure), SECRETS.values()) == set()


FAILING = """
secrets = Path({secrets!r}).read_text()

@dg.sensor(job_name="a_job", minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def a_sensor(context):
    print(secrets)
    context.log.warning(secrets)
    raise RuntimeError(f"cannot connect: {{secrets}}")

@dg.schedule(job_name="a_job", cron_schedule="* * * * *", default_status=dg.DefaultScheduleStatus.RUNNING)
def a_schedule(context):
    raise RuntimeError(f"cannot connect: {{secrets}}")

@dg.op
def an_op(context):
    context.log.info(secrets)
    raise RuntimeError(f"cannot connect: {{secrets}}")

@dg.job(name="small_features")
def a_job():
    an_op()
"""


def location(secrets: Path, end: str) -> str:
    text = FAILING.format(secrets=str(secrets)).replace("print(secrets)", "").replace('"a_job"', '"small_features"')
    return "\n".join(
        [
            "from pathlib import Path",
            "import dagster as dg",
            "from ml_assets.defs.environment import environment",
            "shared = environment()",
            text,
            end,
        ]
    )


def failed_automation(ticks: dict) -> set[str]:
    """Return the names of the sensors and schedules with a tick that failed to connect."""
    all_results = [result for group in ticks.values() for result in group["results"]]
    return {result["name"] for result in all_results if "cannot connect: ***" in json.dumps(result)}


@pytest.mark.slow
@pytest.mark.clock
def test_ticks_runs_and_code_locations_that_fail_leave_no_secret_anywhere(tmp_path: Path):
    root, file = tmp_path / "instance", tmp_path / "secrets"
    file.write_text(EVERY_SPELLING)
    root.mkdir()
    with LocalInstance(root, [model("unused")]) as instance:
        instance.environment |= VARIABLES
        (root / "location.py").write_text(
            location(
                file,
                "own = dg.Definitions(jobs=[a_job], sensors=[a_sensor], schedules=[a_schedule])\n"
                "defs = dg.Definitions.merge(shared, own)",
            )
        )
        (root / "broken.py").write_text(location(file, "raise RuntimeError(f'cannot load: {secrets}')"))
        both = [
            {"python_file": {"relative_path": f"{name}.py", "location_name": place, "attribute": "defs"}}
            for name, place in (("location", "ml_assets"), ("broken", "broken"))
        ]
        instance.workspace.write_text(yaml.safe_dump({"load_from": both}))
        instance.start_webserver()
        instance.start_daemon()
        run = instance.launch("small", START)
        instance.wait("the failed run", lambda: [r for r in instance.runs() if r["status"] == "FAILURE"], 90)
        ticks = partial(instance.graphql, TICKS)
        instance.wait("failed ticks", lambda: failed_automation(ticks()) == {"a_sensor", "a_schedule"}, 120)
        shown = json.dumps([ticks(), instance.graphql(LOCATIONS), instance.events(run), instance.runs()])
    assert "cannot load: ***" in shown
    assert secrets_in_text(shown, SECRETS.values()) == set()
    assert list(secrets_in_files(root, SECRETS.values())) == []


TICKS = """{ sensorsOrError(repositorySelector: REPOSITORY) {
    ... on Sensors { results { name sensorState { ticks(limit: 3) { status skipReason ERROR } } } } }
    schedulesOrError(repositorySelector: REPOSITORY) {
    ... on Schedules { results { name scheduleState { ticks(limit: 3) { status ERROR } } } } } }
""".replace("REPOSITORY", '{repositoryName: "__repository__", repositoryLocationName: "ml_assets"}').replace(
    "ERROR", "error { message stack causes { message } }"
)
LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
    ... on PythonError { message stack causes { message stack } } } } } } }"""
