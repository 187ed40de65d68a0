"""The doctor loads definitions as the webserver and the daemon do."""

import dagster as dg

from ml_assets.cli import doctor_context


def test_definitions_that_only_the_webserver_and_the_daemon_refuse_do_not_load(monkeypatch):
    @dg.op(name="same")
    def work() -> None:
        """Do nothing."""

    @dg.job(name="same")
    def job() -> None:
        work()

    monkeypatch.setattr(doctor_context, "load_definitions", lambda: dg.Definitions(jobs=[job]))
    problem = doctor_context.load_code_location().problem
    assert problem is not None
    assert "Conflicting definitions" in problem
