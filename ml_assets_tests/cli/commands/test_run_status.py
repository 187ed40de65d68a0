"""The exit status of the main job, with stages that say what is not as it should be."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest

from ml_assets.cli.commands import run as main_job
from ml_assets.cli.needed_days import Needed
from ml_assets.core.model_spec import ModelSpec
from ml_assets.defs.settings import read_settings
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.cli.command_line import call
from ml_assets_tests.conftest import SMALL

NEWEST = date(2025, 1, 9)
SPEC = ModelSpec.model_validate(SMALL)


@pytest.fixture
def end(make_spec, tmp_path, monkeypatch):
    """Return a function that runs the verb with nothing to do and the given answers of the stages; it returns the exit
    status and what was printed to standard error.
    """
    (tmp_path / str(NEWEST)).mkdir()
    (tmp_path / str(NEWEST) / "rows.csv").write_text("id\n1\n")
    printed = []

    def run(
        unscored: str | None,
        blocked: str | None,
        unregistered: str | None,
        *options: str,
        gates: Sequence = (),
        of_evaluation: str | None = None,
    ) -> tuple[object, list]:
        stages = SimpleNamespace(
            validation=SimpleNamespace(days_with_rows=list),
            predictions=SimpleNamespace(why_not_scored={NEWEST: unscored}.get),
            training=SimpleNamespace(
                gate=SimpleNamespace(
                    reason={NEWEST: blocked}.get, reason_of_evaluation=lambda _, day: {NEWEST: of_evaluation}.get(day)
                )
            ),
            evaluation=SimpleNamespace(metric_rows=lambda _: gates, gate_results=lambda _: gates),
            registration=SimpleNamespace(why_not_registered={NEWEST: unregistered}.get),
        )
        for name, answer in (
            ("require_spec", make_spec()),
            ("require_settings", replace(read_settings({}), landing=str(tmp_path))),
            ("open_model_stages", stages),
            ("refuse_unusable_store", None),
            ("days_needed", Needed(NEWEST, [NEWEST], [NEWEST], to_do=False)),
            ("release_differences", []),
        ):
            monkeypatch.setattr(main_job, name, lambda *_, answer=answer, **__: answer)
        monkeypatch.setattr(main_job, "print_summary", lambda *_: printed.append("summary"))
        try:
            call("run", "small", *options)
        except SystemExit as ended:
            return ended.code, printed
        return 0, printed

    return run


MISSING, PARTLY = "its predictions have not been made", "3 of 4 rows have predictions"
NOT_SCORED = f"small: the live versions have not scored {NEWEST}: "


# A text as status is printed to standard error, and the shell gets 1.
@pytest.mark.parametrize(
    ("unscored", "blocked", "unregistered", "status"),
    [
        (None, None, None, 0),
        (MISSING, None, None, NOT_SCORED + MISSING),
        (PARTLY, "a check failed", "gates not passed", NOT_SCORED + PARTLY),
        (None, "a check failed", None, 1),
        (None, None, "gates not passed", 1),
    ],
)
def test_the_status_is_1_after_the_summary_when_the_newest_day_is_not_scored_or_not_registered(
    end, unscored, blocked, unregistered, status
):
    assert end(unscored, blocked, unregistered) == (status, ["summary"])


def gate(passed: bool | None, severity: str = "error") -> SimpleNamespace:
    return SimpleNamespace(passed=passed, severity=severity)


INCONCLUSIVE = gate(False, "warn")


@pytest.mark.parametrize(
    ("gates", "of_evaluation", "status"),
    [
        ([gate(True), INCONCLUSIVE], None, 0),
        ([gate(False), INCONCLUSIVE], None, 1),
        ([gate(True), INCONCLUSIVE], "too few labels matched", 1),
    ],
)
def test_the_status_is_0_when_a_model_may_be_as_good_as_the_champion(end, gates, of_evaluation, status):
    ended = end(None, None, "gates not passed", gates=gates, of_evaluation=of_evaluation)
    assert ended == (status, ["summary"])


@pytest.mark.parametrize(("gates", "status"), [([gate(True), gate(None)], 0), ([gate(True), gate(False)], 1)])
def test_the_status_is_1_when_a_registered_model_fails_a_gate_that_was_raised_since(end, gates, status):
    assert end(None, None, None, gates=gates) == (status, ["summary"])


def test_a_run_without_landed_files_creates_no_table(end, tmp_path, monkeypatch):
    settings = replace(read_settings({}), landing=str(tmp_path / "empty"), lake=str(tmp_path / "lake"))
    (tmp_path / "empty").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(main_job, "require_settings", lambda: settings)
        patch.setattr(main_job, "require_spec", lambda _: SPEC)
        with pytest.raises(SystemExit, match="no files of a day from"):
            main_job.run_model("small")
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            ["rows/2025-01-09.csv"],
            "no files of a day from .* have landed; looked for {day}/.* Kept .* holds 1 day, up to",
        ),
        ([], "there are no files under .*, but the lake .* holds 1 day, up to 2025-01-09. Check that the landing is"),
    ],
)
def test_a_landing_without_files_of_a_model_that_has_rows_is_told_from_one_without_any(tmp_path, files, reason):
    (tmp_path / "landing").mkdir()
    for file in files:
        (tmp_path / "landing" / file).parent.mkdir()
        (tmp_path / "landing" / file).touch()
    settings = replace(read_settings({}), landing=str(tmp_path / "landing"))
    stages = SimpleNamespace(validation=SimpleNamespace(days_with_rows=lambda: {NEWEST}))
    with pytest.raises(SystemExit) as ended:
        main_job._refuse_lost_landing(SPEC, stages, Landing(uri=settings.landing), settings, NEWEST)
    assert re.search(reason, str(ended.value).replace("\n", " "))


def test_a_run_as_of_a_day_needs_the_files_of_that_day(end):
    assert end(None, None, None, "--day", str(NEWEST)) == (0, ["summary"])
    status, printed = end(None, None, None, "--day", "2025-01-08")
    assert "no files of 2025-01-08 have landed" in str(status)
    assert printed == ["summary"]


def test_a_run_as_of_a_day_that_is_not_over_says_so(end, tmp_path):
    future = date(9999, 1, 1)
    (tmp_path / str(future)).mkdir()
    (tmp_path / str(future) / "rows.csv").write_text("id\n1\n")
    status, _ = end(None, None, None, "--day", str(future))
    assert str(status).startswith(f"small: {future} is not over in UTC, so its files may be incomplete; the newest")
    assert end(None, None, None) == (0, ["summary"])
