"""Outcomes of checks are kept with the report of a day, and hold exactly while nothing that they depend on changes."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.pipeline.asset_names import FEATURES, LANDED_TO_FEATURES
from ml_assets.pipeline.graph import data_steps
from ml_assets.pipeline.steps.check_results import CheckRun, build_check_result
from ml_assets.pipeline.steps.kept_checks import KeptChecks, add_kept_outcomes, changed_days
from ml_assets.pipeline.steps.report_store import Reports
from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.conftest import CHECKED, SMALL
from ml_assets_tests.pipeline.world import World, day, failed_by_day, rows_of

SPEC, DAY = ModelSpec.model_validate(SMALL), date(2026, 1, 20)
MODULES = ("ml_assets.pipeline.validation.acceptance_check",)
ASSETS = list(LANDED_TO_FEATURES)
KEY = dg.AssetKey(["small", "features"])
CHECKS = [dg.AssetCheckSpec(name, asset=KEY) for name in ("one", "other")]
INPUTS = st.lists(st.tuples(st.dates(), st.integers(1, 2**62)), max_size=4)


@pytest.fixture
def reports(tmp_path) -> Reports:
    return Reports("small", Lake(uri=str(tmp_path)))


def keep(reports: Reports, inputs: list, is_newest: bool) -> KeptChecks:
    checks = KeptChecks(reports, "features", SPEC, MODULES)
    reports.add([Part("features", DAY, inputs=checks.digest(inputs, is_newest))])
    return checks


@given(INPUTS, INPUTS)
def test_two_days_have_the_same_digest_only_if_everything_read_is_the_same(first, second):
    checks = KeptChecks(Reports("small", Lake(uri="/nowhere")), "features", SPEC, MODULES)
    assert (checks.digest(first, True) == checks.digest(second, True)) == (first == second)
    assert checks.digest(first, True) != checks.digest(first, False)


def test_a_change_of_specification_or_code_changes_the_digest():
    reports = Reports("small", Lake(uri="/nowhere"))
    stricter = SPEC.model_copy(update={"quality": SPEC.quality.model_copy(update={"min_rows": 7})})
    other_code = KeptChecks(reports, "features", SPEC, [*MODULES, "ml_assets.pipeline.validation.drift_checks"])
    digests = {
        checks.digest([1], True)
        for checks in (
            KeptChecks(reports, "features", SPEC, MODULES),
            KeptChecks(reports, "features", stricter, MODULES),
            other_code,
        )
    }
    assert len(digests) == 3


def test_outcomes_of_the_newest_day_of_a_run_hold_in_every_run_and_others_do_not(reports):
    checks = keep(reports, [1], is_newest=True)
    assert checks.part(DAY, [1], True)
    assert checks.part(DAY, [1], False)
    checks = keep(reports, [1], is_newest=False)
    assert checks.part(DAY, [1], False)
    assert not checks.part(DAY, [1], True)
    assert not checks.part(DAY, [2], False)


def test_a_record_that_is_missing_damaged_or_older_than_this_rule_is_not_used(reports, tmp_path):
    checks = keep(reports, [1], is_newest=True)
    path = tmp_path / "small" / "reports" / str(DAY) / "features.json"
    whole = path.read_text()
    assert not checks.part(DAY, None, True)
    for content in ("", whole[:40], whole.replace('"inputs":"', '"inputs":"0'), whole.replace('"inputs"', '"before"')):
        path.write_text(content)
        assert not checks.part(DAY, [1], True)
    path.write_text(whole)
    assert checks.part(DAY, [1], True)
    (tmp_path / "small" / "reports" / f"{DAY}.html").unlink()
    assert not checks.part(DAY, [1], True)


@st.composite
def outcomes_by_check(draw) -> dict[str, list[CheckOutcome]]:
    def outcome(check: str, number: int) -> CheckOutcome:
        passed, severity = draw(st.sampled_from([True, False, None])), draw(st.sampled_from(["warn", "error"]))
        lines = [{"column": "amount", "psi": draw(st.floats(0, 9))}] * draw(st.integers(0, 2))
        return CheckOutcome(check, DAY + timedelta(days=number), passed, draw(st.text(max_size=3)), severity, lines)

    return {spec.name: [outcome(spec.name, number) for number in range(4)] for spec in CHECKS}


@given(outcomes_by_check(), st.sets(st.integers(0, 3)))
def test_kept_and_evaluated_outcomes_give_the_same_results_however_they_are_mixed(by_check, kept_numbers):
    kept_days = {DAY + timedelta(days=number) for number in kept_numbers}
    kept = {
        kept_day: Part.from_json(
            Part(
                "features",
                kept_day,
                outcomes=[o for outcomes in by_check.values() for o in outcomes if o.day == kept_day],
            ).to_json()
        )
        for kept_day in kept_days
    }
    evaluated = [
        CheckRun(KEY, name, [outcome for outcome in outcomes if outcome.day not in kept_days])
        for name, outcomes in by_check.items()
    ]
    merged = add_kept_outcomes(CHECKS, evaluated if len(kept_days) < 4 else [], kept)
    for run in merged:
        assert build_check_result(run) == build_check_result(CheckRun(KEY, run.name, by_check[run.name]))
    assert len(merged) == len(CHECKS)
    assert not changed_days(kept, merged)


def test_the_plot_of_a_failed_day_is_kept_and_a_remark_is_not():
    failed = CheckOutcome("one", DAY, False, "why", remark="; said then")
    part = Part("features", DAY, outcomes=[failed], plots={"one": b"png"})
    (run, _) = add_kept_outcomes(CHECKS, [], {DAY: part})
    assert (run.plot, list(run.outcomes)) == (b"png", [replace(failed, remark="")])
    # The report says something that no longer holds.
    assert changed_days({DAY: part}, [run]) == [DAY]


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> World:
    """Twelve days of features, the ninth of which has a changed distribution."""
    world = World(tmp_path_factory.mktemp("kept"), ModelSpec.model_validate(CHECKED))
    for number in range(1, 13):
        rows = rows_of(day(number), 100)
        world.land(day(number), rows.assign(amount=rows["amount"] * 100) if number == 9 else rows)
    world.run(ASSETS, day(1), day(12))
    return world


@pytest.fixture
def world(original, tmp_path) -> World:
    return original.copy(tmp_path)


class Evaluations(list):
    """The numbers of the days on which checks of features were evaluated."""


@pytest.fixture
def evaluations(monkeypatch) -> Evaluations:
    evaluate, days = data_steps.evaluate_feature_checks, Evaluations()

    def evaluate_and_count(spec, stage, some_days, *others):
        days.extend((some_day - day(1)).days + 1 for some_day in some_days)
        return evaluate(spec, stage, some_days, *others)

    monkeypatch.setattr(data_steps, "evaluate_feature_checks", evaluate_and_count)
    return days


def results(world: World, monkeypatch: pytest.MonkeyPatch | None = None) -> dict[str, tuple]:
    """Return what Dagster shows of the checks of a run over all days; with monkeypatch, all of them are evaluated."""
    if monkeypatch:
        monkeypatch.setattr(KeptChecks, "part", lambda *_: None)
    result = world.run(ASSETS, day(1), day(12))
    return {
        evaluation.check_name: (
            evaluation.passed,
            evaluation.severity,
            evaluation.description,
            {name: value for name, value in evaluation.metadata.items() if name != "plot"},
        )
        for evaluation in result.get_asset_check_evaluations()
    }


def test_an_unchanged_day_reports_what_was_kept_and_a_failed_check_keeps_failing(world, evaluations, monkeypatch):
    kept = results(world)
    assert not evaluations
    assert not kept["column_drift"][0]
    assert kept == results(world, monkeypatch)
    assert len(evaluations) == 12


@pytest.mark.slow
def test_a_new_bound_evaluates_all_days_again_and_makes_none(world, evaluations, monkeypatch):
    world.spec = ModelSpec.model_validate({**CHECKED, "checks": {"column_drift": {"severity": "warn"}}})
    assert results(world)["column_drift"][1] == dg.AssetCheckSeverity.WARN
    assert len(evaluations) == 12
    assert results(world) == results(world, monkeypatch)


@pytest.mark.slow
def test_a_changed_day_evaluates_those_that_are_compared_with_it(world, evaluations, monkeypatch):
    world.land(day(10), rows_of(day(10), 90))
    kept = results(world)
    # The windows of the eleventh day reach back to the tenth.
    assert evaluations == [10, 11]
    assert kept == results(world, monkeypatch)


def test_a_damaged_record_is_evaluated_and_written_again(world, evaluations):
    record: Path = world.root / "lake" / "small" / "reports" / str(day(5)) / f"{FEATURES}.json"
    whole = record.read_bytes()
    record.write_bytes(whole[:50])
    assert failed_by_day(world.run(ASSETS, day(1), day(12)))[day(9)] >= {"column_drift"}
    assert evaluations == [5]
    assert record.read_bytes() == whole
