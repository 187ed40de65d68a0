"""The JSON documents of the verbs that report. Fields are added to them, and never removed or renamed."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from ml_assets.cli.json_output.plan_reports import PlanReport as PlanReport


class MetricValue(BaseModel):
    """A metric on the holdout with its confidence interval."""

    value: float
    low: float
    high: float


class GateVerdict(BaseModel):
    """The verdict of a gate."""

    gate: str = Field(description="metric, or `champion` for the comparison with it")
    passed: bool | None = Field(description="null when the gate was not evaluated")
    severity: str = Field(
        description="of a failure: error, or warn if the model is not registered but may be as good as the champion"
    )
    reason: str


class RunReport(BaseModel):
    """The state of the newest day and its model after `ml-assets run`."""

    model: str
    day: date = Field(description="the newest landed day, or the one given with --day")
    model_day: date = Field(description="the day of the model: the last one on which a model was due")
    first_day: date = Field(description="the first day that its model needs")
    days: int = Field(description="days from first_day to day")
    is_up_to_date: bool = Field(description="whether nothing had to be made")
    rows_published: int = Field(description="rows of these days that passed validation")
    rows_quarantined: int
    model_digest: str | None = Field(description="null when there is no model of the day")
    problem: str | None = Field(description="the reason why there is no model, or why a check blocks it")
    metrics: dict[str, MetricValue]
    gates: list[GateVerdict]
    registered_version: int | None = Field(description="the version in the model registry")
    why_not_registered: str | None
    champion: str | None = Field(description="live for all entities except those of the challenger")
    challenger: str | None
    percent: int = Field(description="percent of the entities that the challenger is live for")
    rows_scored: int = Field(description="predictions of the newest day")
    why_not_scored: str | None
    differences: list[str] = Field(description="differences of MLflow and the deploy target from the release ledger")
    checks_passed: int = Field(description="of the newest day")
    checks_not_evaluated: int
    check_errors: dict[str, str] = Field(description="reason of each check that failed with severity error")
    check_warnings: dict[str, str] = Field(description="reason of each check that failed with severity warning")
    page: str | None = Field(description="URI of the page of the newest day; null when it was not written")
    stage_seconds: dict[str, float] = Field(description="of the stages that ran")
    seconds: float


class QuarantineReport(BaseModel):
    """The quarantined rows that were written."""

    model: str
    rows: int
    days: int = Field(description="days of these rows")
    file: str


class RepairedStage(BaseModel):
    """The days of a stage that a repair made."""

    stage: str
    changed: list[date]
    same: list[date] = Field(description="recomputed, with the same rows")


class RepairReport(BaseModel):
    """The outcome of `ml-assets repair`."""

    model: str
    stages: list[RepairedStage]
    models_with_changed_inputs: list[date] = Field(description="days of models that were trained on changed features")
    not_repaired: list[str] = Field(description="damage that stays, with what is lost")


class VersionReport(BaseModel):
    """A version in the model registry."""

    version: int
    digest: str
    day: date


class ReleaseReport(BaseModel):
    """A release of the ledger."""

    release: int
    day: date = Field(description="first day of predictions that it affects")
    at: datetime
    actor: str
    action: str
    champion: int | None
    challenger: int | None
    percent: int
    reason: str
    metrics: dict[str, float]


class ReleasesReport(BaseModel):
    """The live versions and the ledger, from `releases`, `restore`, and the verbs that release by hand."""

    model: str
    champion: VersionReport | None
    challenger: VersionReport | None
    previous: VersionReport | None
    percent: int
    is_paused: bool
    deployed_version: int | None = Field(description="in the deploy target")
    target: str
    differences: list[str] = Field(description="differences from the ledger that could not be removed")
    releases: list[ReleaseReport]


class NotificationReport(BaseModel):
    """A notification."""

    is_open: bool
    severity: str
    at: datetime
    resolved_at: datetime | None
    model: str
    kind: str
    partition: str
    message: str


class UndeliveredReport(BaseModel):
    """Messages that a target has not accepted yet."""

    target: str
    count: int
    attempts: int
    next_attempt_at: datetime
    last_error: str


class NotificationsReport(BaseModel):
    """The newest notifications."""

    open: int
    notifications: list[NotificationReport]
    undelivered: list[UndeliveredReport]


class TestMessageReport(BaseModel):
    """The outcome of a test message, by target."""

    __test__ = False

    targets: dict[str, str | None] = Field(description="the problem of each target; null when it accepted")


class CheckReport(BaseModel):
    """The diagnosis of a check."""

    check: str
    severity: str = Field(description="ok, warning or error")
    message: str
    remedy: str


class DamageReport(BaseModel):
    """A damaged or missing file."""

    file: str
    day: date | None
    reason: str
    lost: str
    remedy: str


class DoctorReport(BaseModel):
    """The diagnoses of `ml-assets doctor`; with `--scrub`, the damaged files instead."""

    errors: int
    warnings: int
    checks: list[CheckReport]
    files_read: int | None = Field(default=None, description="by `--scrub`")
    damaged: list[DamageReport] = Field(default=[], description="by `--scrub`")


class AuditReport(BaseModel):
    """The result of `ml-assets audit`."""

    dependencies: int = Field(description="how many were looked up")
    vulnerable: list[str]
    unknown: list[str] = Field(description="dependencies that are not in the advisory database")
    is_reachable: bool = Field(description="whether the advisory database was reached")
    failure: str | None


class InstanceReport(BaseModel):
    """The instance in DAGSTER_HOME."""

    dagster_home: str
    settings: str = Field(description="the file of settings that dagster.yaml links to, or dagster.yaml itself")
    differences: list[str] = Field(description="settings that differ from those of ml_assets")


class Manifest(BaseModel):
    """The KServe manifest."""

    apiVersion: str
    kind: str
    metadata: dict[str, Any]
    spec: dict[str, Any]
