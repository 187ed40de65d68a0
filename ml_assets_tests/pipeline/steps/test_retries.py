"""A step that fails transiently is retried and loses nothing; every other failure ends it and says what to do."""

import dataclasses
import itertools
import logging
from datetime import timedelta
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.test_utils import create_run_for_test

from ml_assets.cli.run_in_process import ATTENDED, RunFailed
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.retries import Retry
from ml_assets.pipeline.engine import materialize_days as engine
from ml_assets.pipeline.engine.stage import CannotMake
from ml_assets.pipeline.steps import retries as attempts
from ml_assets.pipeline.steps.retries import apply_retry_policy
from ml_assets.pipeline.steps.step_config import run_tags, step_settings
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.cli.interruptions import interrupt, kept_handlers
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, computed, day, failure, rows_of, tags_of

SPEC = ModelSpec.model_validate({**SMALL, "retries": {"ingestion": {"times": 2}, "default": {"times": 1}}})


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Land three days, each of which is committed separately, and let retries follow at once."""
    world = World(tmp_path, SPEC)
    for number in (1, 2, 3):
        world.land(day(number), rows_of(day(number), 5))
    monkeypatch.setattr(engine, "DAYS_PER_COMMIT", 1)
    monkeypatch.setattr(Retry, "seconds_before", lambda *_, **__: 0.0)
    return world


def fail_calls(monkeypatch, error, at: int, times: int, owner=Landing):
    """Let reading a landed file, or a commit, fail `times` times from call `at` on, which counts from 1.

    Returns:
        The list to which the arguments of each call are added.
    """
    name = "read" if owner is Landing else "commit"
    original, calls = getattr(owner, name), []

    def call(self, *args, **kwargs):
        calls.append(args)
        if at <= len(calls) < at + times:
            raise error
        return original(self, *args, **kwargs)

    monkeypatch.setattr(owner, name, call)
    return calls


def retried(result) -> int:
    return sum(event.event_type_value == "STEP_UP_FOR_RETRY" for event in result.all_events)


def outcomes(result) -> list[tuple[str, str]]:
    materializations = [
        event.step_materialization_data.materialization for event in result.get_asset_materialization_events()
    ]
    return [
        (materialization.partition[-1], materialization.metadata["outcome"].value)
        for materialization in materializations
    ]


def test_a_transient_failure_is_retried_and_committed_days_are_neither_made_again_nor_unreported(
    world, monkeypatch, caplog
):
    calls = fail_calls(monkeypatch, ConnectionResetError("reset by peer"), at=2, times=2)
    with caplog.at_level(logging.WARNING, "ml_assets.days"):
        result = world.run(["raw_data"], day(1), day(3))
    assert retried(result) == 2
    assert len(calls) == 5
    assert outcomes(result) == [
        ("1", "computed"),
        ("1", "unchanged"),
        ("1", "unchanged"),
        ("2", "computed"),
        ("3", "computed"),
    ]
    notices = [record.getMessage() for record in caplog.records if hasattr(record, "notice")]
    assert notices[0].startswith(
        "small/raw_data: ConnectionResetError: reset by peer. An external service failed; what was committed stays."
    )
    assert ["Attempt 2 of 3 follows in" in notices[0], "Attempt 3 of 3 follows in" in notices[1]] == [True, True]


def test_a_transient_failure_that_persists_ends_the_step_with_advice(world, monkeypatch):
    fail_calls(monkeypatch, TimeoutError("timed out"), at=2, times=9)
    result = world.run(["raw_data"], day(1), day(3), succeed=False)
    assert retried(result) == 2
    assert failure(result).startswith(
        "small/raw_data: an external service failed (tried 3 times), most recently with TimeoutError: timed out."
    )
    assert computed(result, "raw_data") == []
    assert outcomes(result)[0] == ("1", "computed")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("amount"), "small/raw_data: an error in the code, in a hook or in a library: KeyError: 'amount'"),
        (
            MemoryError("Unable to allocate 9 GiB"),
            "small/raw_data: out of memory: MemoryError: Unable to allocate 9 GiB",
        ),
        (
            PermissionError(13, "Permission denied"),
            "small/raw_data: a file or an external service cannot be used: PermissionError",
        ),
    ],
)
def test_every_other_failure_ends_the_step_at_once(world, monkeypatch, error, message):
    fail_calls(monkeypatch, error, at=2, times=1)
    result = world.run(["raw_data"], day(1), day(3), succeed=False)
    assert retried(result) == 0
    assert failure(result).startswith(message)
    assert outcomes(result) == [("1", "computed")]
    (event,) = [event for event in result.all_events if event.is_step_failure]
    assert type(error).__name__ in event.step_failure_data.error.cause.to_string()


def test_the_number_of_attempts_depends_on_the_stage(world, monkeypatch):
    world.run(["raw_data"], day(1), day(3))
    fail_calls(monkeypatch, ConnectionResetError("reset by peer"), at=1, times=9, owner=Table)
    result = world.run(["validated_data", "quarantined_data"], day(1), day(3), succeed=False)
    assert retried(result) == 1
    assert "(tried 2 times)" in failure(result)


def test_days_are_reported_once_when_the_work_after_them_is_retried(world, monkeypatch):
    errors = iter([ConnectionResetError("reset by peer")])

    def fail_once(context, spec, days):
        if error := next(errors, None):
            raise error

    monkeypatch.setattr("ml_assets.pipeline.graph.data_steps.mark_stale_models", fail_once)
    world.run(["raw_data", "validated_data", "quarantined_data"], day(1), day(2))
    result = world.run(["features"], day(1), day(2))
    assert outcomes(result) == [("1", "computed"), ("2", "computed"), ("1", "unchanged"), ("2", "unchanged")]


@pytest.mark.parametrize(
    ("error", "is_of_data"), [(CannotMake("no such column"), True), (PermissionError("denied"), False)]
)
def test_a_failed_run_says_whether_files_or_the_specification_have_to_be_corrected(
    world, monkeypatch, error, is_of_data
):
    fail_calls(monkeypatch, error, at=1, times=1)
    assert RunFailed(world.run(["raw_data"], day(1), succeed=False)).is_of_data() is is_of_data


def test_a_run_that_fails_before_its_first_step_is_no_failure_of_checks_or_data():
    data = SimpleNamespace(error=SimpleNamespace(message="the instance cannot be used\n"))
    event = SimpleNamespace(is_step_failure=False, is_run_failure=True, event_specific_data=data)
    result = SimpleNamespace(run_id="1", all_events=[event], get_asset_check_evaluations=list)
    error = RunFailed(result)
    assert (error.is_only_of_checks("small__evaluation"), error.is_of_data()) == (False, False)
    assert str(error).endswith("\nrun: the instance cannot be used")


def test_retries_of_an_attended_run_wait_seconds_instead_of_minutes(world, monkeypatch):
    attended_flags = []
    monkeypatch.setattr(
        Retry, "seconds_before", lambda self, attempt, chance, attended: attended_flags.append(attended) or 0.0
    )
    fail_calls(monkeypatch, ConnectionResetError("reset by peer"), at=1, times=2)
    assert world.materialize(["raw_data"], {**tags_of(day(1)), ATTENDED: "true"}).success
    fail_calls(monkeypatch, ConnectionResetError("reset by peer"), at=1, times=1)
    world.run(["raw_data"], day(2))
    assert attended_flags == [True, True, False]


def test_settings_limit_the_runtime_of_runs_and_the_attempts_of_steps(make_spec):
    spec = make_spec(compute={"run_max_runtime": "90m", "max_runtime": "2h", "data": {"max_runtime": "10m"}})
    assert run_tags(spec)["dagster/max_runtime"] == "5400"
    settings = {stage: step_settings(spec, stage) for stage in ("raw_data", "trained_model", "features")}
    assert {stage: stage_settings.retry.times for stage, stage_settings in settings.items()} == {
        "raw_data": 3,
        "trained_model": 1,
        "features": 3,
    }
    assert {stage: stage_settings.longest.total_seconds() for stage, stage_settings in settings.items()} == {
        "raw_data": 600,
        "trained_model": 7200,
        "features": 600,
    }
    assert (settings["trained_model"].memory_field, settings["features"].memory_field) == (
        "compute.memory",
        "compute.data.memory",
    )


@pytest.mark.parametrize(
    ("own_process", "minutes", "seconds", "cancelled", "attempt", "is_retried"),
    [
        (True, 360, 60, False, 0, True),
        (True, 360, 60, False, 3, False),
        (True, 360, 60, True, 0, False),
        # Its pod has reached its maximum runtime.
        (True, 360, 20_000, False, 0, False),
        (True, 10, 60, False, 0, True),
        (True, 10, 560, False, 0, False),
        # The process of the run is terminated, and the run with it.
        (False, 360, 60, False, 0, False),
    ],
)
def test_an_interruption_is_a_preemption_if_the_step_has_its_own_process_and_the_run_is_not_cancelled(
    monkeypatch, own_process, minutes, seconds, cancelled, attempt, is_retried
):
    # Other callers get the later time.
    moments = itertools.chain([0.0], itertools.repeat(float(seconds)))
    monkeypatch.setattr(attempts.time, "monotonic", lambda: next(moments))
    settings = dataclasses.replace(step_settings(SPEC, "features"), longest=timedelta(minutes=minutes))
    with dg.DagsterInstance.ephemeral() as instance:
        run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)
        if cancelled:
            instance.report_run_canceling(run)
        mode = SimpleNamespace(retry_mode=SimpleNamespace(deferred=own_process))
        context = SimpleNamespace(
            instance=instance,
            run=run,
            run_id=run.run_id,
            retry_number=attempt,
            log=logging.getLogger("nobody"),
            get_step_execution_context=lambda: mode,
        )
        with (
            pytest.raises(dg.RetryRequested if is_retried else DagsterExecutionInterruptedError),
            apply_retry_policy(context, settings, "small/features"),
        ):
            raise DagsterExecutionInterruptedError


@pytest.mark.parametrize(
    ("attended", "status"), [({ATTENDED: "true"}, dg.DagsterRunStatus.CANCELED), ({}, dg.DagsterRunStatus.FAILURE)]
)
def test_only_a_run_that_a_person_waits_for_is_cancelled_by_a_signal(tmp_path, monkeypatch, attended, status):
    monkeypatch.setattr(Table, "commit", interrupt)
    with dg.DagsterInstance.ephemeral() as instance, kept_handlers():
        world = World(tmp_path, SPEC, instance=instance)
        world.land(day(1), rows_of(day(1), 5))
        run = world.materialize(["raw_data"], {**tags_of(day(1)), **attended})
        [ended] = instance.get_runs()
        assert (ended.run_id, ended.status) == (run.run_id, status)


def test_a_run_in_the_process_of_a_command_that_dies_is_not_marked_for_retry(tmp_path, make_spec):
    (tmp_path / "dagster.yaml").write_text("run_retries: {enabled: true, max_retries: 1}")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        world = World(tmp_path, make_spec(), instance=instance)
        world.land(day(1), rows_of(day(1)))
        runs = [
            create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED),
            world.run(["raw_data"], day(1)).dagster_run,
        ]
        for run in runs:
            instance.report_run_failed(run, "its process is gone")
        will_retry = {run.run_id: run.tags.get("dagster/will_retry") for run in instance.get_runs()}
        assert [will_retry[run.run_id] for run in runs] == ["true", "false"]
