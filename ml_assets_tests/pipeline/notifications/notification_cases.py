"""Runs with a given outcome on a real Dagster instance, and sensors evaluated on it as the daemon does."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.pipeline.notifications import event_log
from ml_assets.pipeline.notifications.sensors import notifications_sensor, releases_sensor
from ml_assets.pipeline.steps.check_results import CheckRun, check_events
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
"""Checks by asset; True if they are blocking."""


class Outcome(dg.Config):
    """The outcome of a run: the message with which it fails, empty if it succeeds, and whether it is a dry run."""

    error: str = ""
    dry_run: bool = False


def definitions(outcomes: dict[str, Sequence[CheckOutcome]] | None = None) -> dg.Definitions:
    """Build assets of a model whose checks have the given outcomes, and the jobs of the model."""

    def asset(name: str) -> dg.AssetsDefinition:
        key = dg.AssetKey([MODEL, name])
        specs = [dg.AssetCheckSpec(check, asset=key, blocking=blocks) for check, blocks in CHECKS[name].items()]

        @dg.multi_asset(name=name, specs=[dg.AssetSpec(key)], check_specs=specs)
        def make(context: dg.AssetExecutionContext, config: Outcome):
            if config.error:
                raise ValueError(config.error)
            yield dg.MaterializeResult(asset_key=key)
            for spec in specs:
                check_outcomes = (outcomes or {}).get(
                    spec.name, [CheckOutcome(spec.name, date(2025, 1, 1), None, "not evaluated")]
                )
                yield from check_events(context, CheckRun(key, spec.name, check_outcomes))

        return make

    jobs = [
        dg.define_asset_job(f"{MODEL}_{name}", dg.AssetSelection.all(), tags={"model": MODEL})
        for name in ("daily", "features")
    ]
    live = dg.AssetSelection.assets([MODEL, "deployment"])
    jobs.append(dg.define_asset_job(f"{MODEL}_live", live, tags={"model": MODEL}))
    return dg.Definitions(assets=[asset(name) for name in CHECKS], jobs=jobs, executor=dg.in_process_executor)


@cache
def repository() -> dg.RepositoryDefinition:
    """Build the assets and jobs for sensors, which read no outcomes of checks, once in a process."""
    return definitions().get_repository_def()


class NotificationSensors:
    """The notification sensors of an instance.

    targets: the targets of messages, as in ML_ASSETS_NOTIFY. skip_messages: the skip reasons of all ticks.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        uri: str,
        targets: str = "",
        secrets: Sequence[str] = (),
        lake: Lake | None = None,
    ):
        self.instance = instance
        self.uri = uri
        self.targets = targets
        self.secrets = secrets
        self.lake = lake
        self.cursor: str | None = None
        self.releases_cursor: str | None = None
        self.skip_messages = ""

    def tick(self) -> str:
        """Evaluate one tick of `notifications` and return its skip reason; a failed tick does not move the cursor."""
        sensor = notifications_sensor(
            lambda: Outbox(self.uri, self.secrets), lambda: Notifier(self.targets, self.secrets), UI
        )
        with dg.build_sensor_context(self.instance, self.cursor, repository_def=repository()) as context:
            skipped = sensor(context)
            self.cursor = context.cursor
        assert isinstance(skipped, dg.SkipReason)
        self.skip_messages += skipped.skip_message or ""
        return skipped.skip_message or ""

    def tick_releases(self) -> str:
        """Evaluate one tick of `rollback_notifications` and return its skip reason."""
        sensor = releases_sensor(lambda: Outbox(self.uri, self.secrets), lambda: Notifier(self.targets, self.secrets))
        with dg.build_sensor_context(
            self.instance,
            self.releases_cursor,
            repository_def=repository(),
            resources={"lake": self.lake},
        ) as context:
            skipped = sensor(context)
            self.releases_cursor = context.cursor
        assert isinstance(skipped, dg.SkipReason)
        return skipped.skip_message or ""

    def run(
        self,
        job: str = "daily",
        first: str = "2025-01-01",
        last: str | None = None,
        error: str = "",
        outcomes: dict[str, Sequence[CheckOutcome]] | None = None,
        tags: dict[str, str] | None = None,
        assets: Sequence[str] = (),
        dry_run: bool = False,
        nodes: Sequence[str] = (),
    ) -> str:
        """Run a job, which fails with `error` if one is given; return the run's identifier.

        assets: the selected assets, by default all. nodes: the assets of a job that has only some.
        """
        job_definition = definitions(outcomes).resolve_job_def(f"{MODEL}_{job}")
        outcome = {"config": {"error": error, "dry_run": dry_run}}
        config = {"ops": dict.fromkeys(assets or nodes or CHECKS, outcome), "loggers": QUIET}
        result = job_definition.execute_in_process(
            run_config=config,
            tags={**range_tags(date.fromisoformat(first), date.fromisoformat(last or first)), **(tags or {})},
            instance=self.instance,
            raise_on_error=False,
            asset_selection=[dg.AssetKey([MODEL, name]) for name in assets] or None,
        )
        return result.run_id


QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


def read_events_immediately(monkeypatch) -> None:
    """Let the sensors read events however young they are."""
    monkeypatch.setattr(event_log, "SECONDS_TO_SETTLE", 0.0)


def sqlite(folder: Path) -> str:
    """Return the URI of a notification database in a folder."""
    return f"sqlite:///{folder / 'notifications.db'}"
