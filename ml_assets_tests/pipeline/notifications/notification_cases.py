"""Runs whose outcome is stated, on a real Dagster instance, and the sensors evaluated on it as the daemon does."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.pipeline.notifications import event_log as ended_runs
from ml_assets.pipeline.notifications.sensors import notifications_sensor, releases_sensor
from ml_assets.pipeline.steps.check_results import CheckRun, events_of
from ml_assets.pipeline.steps.partition_tags import range_tags
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.notifications.notifier import Notifier
from ml_assets.resources.notifications.outbox import Outbox

UI = "http://ui"
MODEL = "small"
CHECKS = {
    "validated_data": {"every_day_accepted": False, "volume": False, "leaks": True},
    "evaluation": {"gate_roc_auc": True},
    "deployment": {},
}
"""Checks of assets, and whether they block."""


class Outcome(dg.Config):
    """What a run is to come to: the message with which it fails, if it does."""

    error: str = ""


def definitions(outcomes: dict[str, Sequence[CheckOutcome]] | None = None) -> dg.Definitions:
    """Assets of a model whose checks find what is stated, and the jobs of the model."""

    def asset(name: str) -> dg.AssetsDefinition:
        key = dg.AssetKey([MODEL, name])
        specs = [dg.AssetCheckSpec(check, asset=key, blocking=blocks) for check, blocks in CHECKS[name].items()]

        @dg.multi_asset(name=name, specs=[dg.AssetSpec(key)], check_specs=specs)
        def make(context: dg.AssetExecutionContext, config: Outcome):
            if config.error:
                raise ValueError(config.error)
            yield dg.MaterializeResult(asset_key=key)
            for spec in specs:
                stated = (outcomes or {}).get(
                    spec.name, [CheckOutcome(spec.name, date(2025, 1, 1), None, "not judged")]
                )
                yield from events_of(context, CheckRun(key, spec.name, stated))

        return make

    jobs = [
        dg.define_asset_job(f"{MODEL}_{name}", dg.AssetSelection.all(), tags={"model": MODEL})
        for name in ("daily", "features")
    ]
    return dg.Definitions(assets=[asset(name) for name in CHECKS], jobs=jobs, executor=dg.in_process_executor)


class Watch:
    """The sensors of notifications over an instance; a look reads what happened until now.

    reached: whom messages go to, as the variable has it. said: what the ticks logged and answered.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        uri: str,
        reached: str = "",
        secrets: Sequence[str] = (),
        lake: Lake | None = None,
    ):
        self.instance, self.uri, self.reached, self.secrets, self.lake = instance, uri, reached, secrets, lake
        self.cursor: str | None = None
        self.releases_cursor: str | None = None
        self.said = ""

    def look(self) -> str:
        """One tick of the sensor `notifications`; what it says. The cursor is kept only when the tick does not fail."""
        sensor = notifications_sensor(
            lambda: Outbox(self.uri, self.secrets), lambda: Notifier(self.reached, self.secrets), UI
        )
        with dg.build_sensor_context(
            self.instance, self.cursor, repository_def=definitions().get_repository_def()
        ) as context:
            answer = sensor(context)
            self.cursor = context.cursor
        assert isinstance(answer, dg.SkipReason)
        self.said += answer.skip_message or ""
        return answer.skip_message or ""

    def scan_releases(self) -> str:
        """One tick of the sensor `rollback_notifications`."""
        sensor = releases_sensor(lambda: Outbox(self.uri, self.secrets), lambda: Notifier(self.reached, self.secrets))
        with dg.build_sensor_context(
            self.instance,
            self.releases_cursor,
            repository_def=definitions().get_repository_def(),
            resources={"lake": self.lake},
        ) as context:
            answer = sensor(context)
            self.releases_cursor = context.cursor
        assert isinstance(answer, dg.SkipReason)
        return answer.skip_message or ""

    def run(
        self,
        job: str = "daily",
        first: str = "2025-01-01",
        last: str | None = None,
        error: str = "",
        outcomes: dict[str, Sequence[CheckOutcome]] | None = None,
        tags: dict[str, str] | None = None,
        assets: Sequence[str] = (),
    ) -> str:
        """A run of a job; its identifier. It fails where an error is stated."""
        made = definitions(outcomes).resolve_job_def(f"{MODEL}_{job}")
        config = {"ops": {name: {"config": {"error": error}} for name in (assets or CHECKS)}, "loggers": QUIET}
        result = made.execute_in_process(
            run_config=config,
            tags={**range_tags(date.fromisoformat(first), date.fromisoformat(last or first)), **(tags or {})},
            instance=self.instance,
            raise_on_error=False,
            asset_selection=[dg.AssetKey([MODEL, name]) for name in assets] or None,
        )
        return result.run_id


QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


def at_once(monkeypatch) -> None:
    """Events are read at once, however young."""
    monkeypatch.setattr(ended_runs, "SECONDS_TO_SETTLE", 0.0)


def sqlite(folder: Path) -> str:
    """The URI of a database of notifications in a folder."""
    return f"sqlite:///{folder / 'notifications.db'}"
