"""Log records are JSON objects, one per line, with the fields of the step and without secrets."""

import io
import json
import logging
from datetime import date

import pytest

from ml_assets.pipeline.engine.stage import DayOutcome
from ml_assets.resources.observability import json_logs
from ml_assets.resources.observability.json_logs import log_as_json, set_step_fields


@pytest.fixture
def lines(monkeypatch):
    logger, stream = logging.getLogger("ml_assets"), io.StringIO()
    before = logger.level, logger.propagate
    monkeypatch.setattr(json_logs, "_step_fields", {})
    handler = log_as_json(["configured-secret"], stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)
    logger.level, logger.propagate = before


def test_a_day_of_a_stage_is_logged_with_model_stage_day_run_and_figures(lines):
    set_step_fields("small", "features", "run-1")
    outcome = DayOutcome(date(2025, 1, 3), True, {"features": 60}, 0.12345, 1, "a problem")
    logging.getLogger("ml_assets.days").info(
        "%s %s computed", "features", outcome.day, extra={"stage": "features", "outcome": outcome}
    )
    (line,) = lines()
    assert line.pop("time").startswith("20")
    assert line == {
        "level": "INFO",
        "logger": "ml_assets.days",
        "message": "features 2025-01-03 computed",
        "model": "small",
        "stage": "features",
        "run": "run-1",
        "day": "2025-01-03",
        "outcome": "computed",
        "seconds": 0.123,
        "rows": {"features": 60},
        "problem": "a problem",
    }
    assert outcome.day == date(2025, 1, 3)


def test_lines_outside_of_a_step_contain_their_own_fields_and_no_secret(lines):
    try:
        raise ValueError("configured-secret and postgresql://me:hunter2@db/x")
    except ValueError:
        logging.getLogger("ml_assets.service").exception("it\nfailed")
    (line,) = lines()
    assert "model" not in line
    assert line["message"] == "it\nfailed"
    assert "configured-secret" not in line["exc_info"]
    assert "hunter2" not in line["exc_info"]
    logging.getLogger("ml_assets.days").debug("not said")
    logging.getLogger("other").warning("nor this")
    assert len(lines()) == 1
