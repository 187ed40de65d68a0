"""MLflow, the pages of days, and the scoring service write no secret of the environment."""

import logging
import time
from dataclasses import replace

import httpx
import pytest

from ml_assets.cli.command_inputs import require_spec
from ml_assets.cli.commands.serve import build_app
from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.operations.reports.daily_report import Part, Table
from ml_assets.defs.settings import read_settings
from ml_assets.defs.variables import secret_values
from ml_assets.pipeline.steps.report_store import Reports
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.mlflow.experiment_runs import Experiment, track_experiment
from ml_assets.resources.mlflow.rejected_models import track_rejected_model
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.observability import redaction
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.registry.version_tags import set_tag
from ml_assets.service import model_loader
from ml_assets.service.history import HistoryCache
from ml_assets.service.limits import Limits
from ml_assets.service.scoring import Scoring
from ml_assets_tests.core.operations.notifications.secret_spellings import secrets_in_files, secrets_in_text
from ml_assets_tests.pipeline.world import START
from ml_assets_tests.resources.mlflow.mlflow_cases import context, new_store, record
from ml_assets_tests.resources.observability.test_secrets import EVERY_SPELLING, SECRETS, VARIABLES
from ml_assets_tests.service.conftest import listening


@pytest.fixture
def secrets(monkeypatch):
    """Give this process the secrets."""
    monkeypatch.setattr(redaction, "_spellings", tuple(redaction.spell_out(secret_values(VARIABLES))))


def test_mlflow_and_the_pages_of_days_have_no_secrets(secrets, tmp_path):
    store = new_store(tmp_path)
    registry = ModelRegistry(tracking_uri=store, dagster_ui=f"https://ann:{SECRETS['mlflow']}@dagster.invalid")
    texts = {"gate_recall": EVERY_SPELLING, "answer": f"none: {EVERY_SPELLING}"}
    with ExperimentTracking(tracking_uri=store).run(context(), "fraud") as run:
        registered = registry.register(run, record("b2", tags=texts, params=texts))
        # Another time, the version is updated.
        registry.register(run, record("b2", tags={"answer": f"again: {EVERY_SPELLING}"}, params=texts))
        track_rejected_model(run.client, run, record("c3", tags={**texts, "gates": "failed"}, params=texts))
        experiment = Experiment("fraud", START, "d4", {"url": EVERY_SPELLING}, {}, {}, {}, {}, EVERY_SPELLING)
        track_experiment(run, experiment)
    set_tag(registry.client, "fraud", "b2", "inputs_changed", EVERY_SPELLING)
    version = registry.client.get_model_version("fraud", str(registered.version))
    assert version.tags["answer"].startswith("again: *** ")
    assert "***@dagster.invalid" in str(version.description)
    reports = Reports("small", Lake(uri=str(tmp_path / "lake")))
    outcome = CheckOutcome("a_check", START, False, EVERY_SPELLING, lines=[{"line": EVERY_SPELLING}])
    table = Table("rows", [{"value": EVERY_SPELLING}])
    reports.add([Part("features", START, None, EVERY_SPELLING, {"a": EVERY_SPELLING}, [table], outcomes=[outcome])])
    assert b"***" in reports.page(START)
    assert list(secrets_in_files(tmp_path, SECRETS.values())) == []


def test_log_lines_and_answers_of_the_service_have_no_secrets(secrets, tmp_path, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise RuntimeError(f"no answer: {EVERY_SPELLING}") from ValueError(EVERY_SPELLING)

    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(redaction.RecordFactory(factory))
    try:
        settings = replace(read_settings({}), lake=str(tmp_path), landing=str(tmp_path), mlflow=new_store(tmp_path))
        monkeypatch.setattr(model_loader, "read_released", lambda *_: None)
        monkeypatch.setattr(model_loader.Ledger, "latest", fail)
        monkeypatch.setattr(HistoryCache, "refresh", fail)
        monkeypatch.setattr(Scoring, "score", fail)
        limits = Limits(registry_seconds=0.01, history_seconds=0.01)
        app = build_app(require_spec("fraud_detection"), settings, limits)
        with listening(app, limits) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            while len(caplog.records) < 2:
                time.sleep(0.01)
            answers = [client.post("/score", json={}), *(client.get(path) for path in ("/ready", "/metrics"))]
        written = " ".join(logging.Formatter().format(entry) for entry in caplog.records)
    finally:
        logging.setLogRecordFactory(factory)
    assert [answer.status_code for answer in answers] == [500, 503, 200]
    for line in ("the release ledger in", "the lake cannot be read", "a request could not be scored"):
        assert line in written
    assert "no answer: ***" in written
    assert secrets_in_text(written + "".join(answer.text for answer in answers), SECRETS.values()) == set()
