"""All checks of a specification together, and the days whose failures somebody has accepted."""

from collections.abc import Iterator
from datetime import date

from pydantic import model_validator

from ml_assets.core.model_spec.checks.check import CONTRACT, Check
from ml_assets.core.model_spec.checks.data_checks import (
    GapsCheck,
    LabelMatchCheck,
    LabelRateCheck,
    LabelTimelinessCheck,
    RowCountCheck,
)
from ml_assets.core.model_spec.checks.drift_checks import ColumnDriftCheck, DriftBounds, DriftCheck
from ml_assets.core.model_spec.checks.model_checks import (
    MissingShareCheck,
    PredictionQualityCheck,
    ServedFeaturesCheck,
    TargetLeakageCheck,
)
from ml_assets.core.model_spec.types.base import SpecPart

ALL_CHECKS = "all"
SETTINGS = ("accepted", "contract", "by_partition")
"""Fields of `Checks` that are not checks."""


class Checks(SpecPart):
    """The checks of each day in addition to its contract; null switches a check off. A failing data check does not keep
    the day from being published. A check without a severity has the one shown here, or error if it blocks."""

    every_day_accepted: Check = Check()
    """No day is missing or rejected by `quality`. It cannot be switched off."""
    contract: bool = True
    """Whether each column and the row key have a check of their own. Violations are counted and rows quarantined either
    way."""
    files_read: Check | None = Check(severity="warn")
    """Every landed file could be read completely, has rows, and has no new columns, which are in neither the contract
    nor the files of earlier days."""
    row_count: RowCountCheck | None = RowCountCheck()
    no_gaps: GapsCheck | None = GapsCheck()
    no_repeated_day: Check | None = Check()
    """The rows of the day are not those of one of the 28 days before, landed again under another date."""
    column_drift: ColumnDriftCheck | None = ColumnDriftCheck()
    label_rate: LabelRateCheck | None = LabelRateCheck()
    no_infinities: Check | None = Check()
    """No feature has an infinite value; only custom functions can return one."""
    missing_share: MissingShareCheck | None = MissingShareCheck()
    not_constant: Check | None = Check()
    """No feature has the same value in all rows of a day, unless the training window makes that likely."""
    target_leakage: TargetLeakageCheck | None = TargetLeakageCheck()
    feature_drift: DriftCheck | None = DriftCheck(severity="warn")
    training_serving_skew: Check | None = Check()
    """The features of the newest day of a run are the same when they are rebuilt from only the data known at each
    moment, as at serving time."""
    feature_metrics: Check | None = Check()
    """Every metric of `metrics` is within its bounds."""
    score_drift: DriftBounds | None = DriftBounds(severity="warn")
    """Compares the scores of each day of the holdout with those of the training window."""
    served_features: ServedFeaturesCheck | None = ServedFeaturesCheck()
    served_feature_drift: DriftCheck | None = DriftCheck(severity="warn")
    """Compares features of served requests with the training window of the day's model, with `deployment.capture`."""
    prediction_quality: PredictionQualityCheck | None = PredictionQualityCheck()
    label_timeliness: LabelTimelinessCheck | None = LabelTimelinessCheck()
    label_match: LabelMatchCheck | None = LabelMatchCheck()
    by_partition: bool = False
    """Whether Dagster stores the result of a day with its partition. Partitioned asset checks are a preview feature of
    Dagster and may change; a run over many days stores one event for each check and day."""
    accepted: dict[date, list[str]] = {}
    """Days that somebody has examined and accepted: for each day, the names of the checks (or `all`) that pass whatever
    their result is. A day without rows that is accepted for `no_gaps` is not a gap for later days."""

    @model_validator(mode="after")
    def _accepted_names_checks(self) -> "Checks":
        known = {name for name in type(self).model_fields if name not in SETTINGS} | {ALL_CHECKS}
        for day, names in self.accepted.items():
            # Contract checks are named after columns, which are not known here; `check_checks` tests their names.
            if unknown := [name for name in names if name not in known and not name.startswith(CONTRACT)]:
                checks = f"{', '.join(sorted(known))} and {CONTRACT}<column>"
                raise ValueError(f"accepted.{day}: there is no check {', '.join(unknown)}; the checks are {checks}")
        return self

    def enabled(self) -> Iterator[tuple[str, Check]]:
        """Yield (name, settings) of every check that is not switched off."""
        for name in type(self).model_fields:
            if isinstance(settings := getattr(self, name), Check):
                yield name, settings

    def is_accepted(self, check: str, day: date) -> bool:
        """Return whether a failure of the check on the day is accepted."""
        return bool({check, ALL_CHECKS} & set(self.accepted.get(day, [])))
