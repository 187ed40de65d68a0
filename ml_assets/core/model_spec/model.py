"""ModelSpec: the whole specification of one model, and the rules between its parts."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, PrivateAttr, model_validator
from pydantic.json_schema import SkipJsonSchema

from ml_assets.core.model_spec.automation import Backfill, Freshness, Retention, Schedule, Sensor
from ml_assets.core.model_spec.checks.checks import Checks
from ml_assets.core.model_spec.compute import Compute
from ml_assets.core.model_spec.deployment import Deployment
from ml_assets.core.model_spec.evaluation import ChampionGate, Evaluation, Gates
from ml_assets.core.model_spec.features import Categorical, CustomFeatures, Feature, WindowAggregate
from ml_assets.core.model_spec.labels import Labels, LateData, check_labels
from ml_assets.core.model_spec.retries import Retries
from ml_assets.core.model_spec.rules.capture_rules import check_capture
from ml_assets.core.model_spec.rules.check_rules import check_checks, check_metrics, check_severities, complete_checks
from ml_assets.core.model_spec.rules.column_rules import check_column_names, check_roles
from ml_assets.core.model_spec.rules.day_rules import check_days, check_marker
from ml_assets.core.model_spec.rules.feature_rules import check_features, check_late_columns, check_preprocessing
from ml_assets.core.model_spec.rules.gate_rules import check_without_entity
from ml_assets.core.model_spec.rules.metric_rules import check_metrics_of_task, complete_metrics
from ml_assets.core.model_spec.rules.task_rules import (
    check_evaluation,
    check_outputs,
    check_target,
    check_weight,
    complete_classes,
)
from ml_assets.core.model_spec.rules.training_rules import check_training, complete_training
from ml_assets.core.model_spec.source import Column, Quality, Source, column_of
from ml_assets.core.model_spec.training import Training
from ml_assets.core.model_spec.types.base import SpecPart, check_model_name, check_owner
from ml_assets.core.model_spec.types.derived_target import DerivedTarget, TargetName, complete_target
from ml_assets.core.model_spec.types.durations import Days
from ml_assets.core.model_spec.types.feature_metric import Metric
from ml_assets.core.model_spec.types.task import ClassLabel, Outputs, PositiveLabel, Task


class ModelSpec(SpecPart):
    """One model, from its landed files to its predictions."""

    name: Annotated[str, AfterValidator(check_model_name)] = Field(
        # Also a Kubernetes label, which must end with a letter or a digit. The chart's values have the same pattern.
        pattern=r"^[a-z]([a-z0-9_]*[a-z0-9])?$",
        max_length=60,
    )
    """Name of the model: first part of its asset keys, folder of its tables, and name in the registry."""

    description: str = ""
    """Purpose of the model."""

    owners: list[Annotated[str, AfterValidator(check_owner)]] = []
    """E-mail addresses, or teams such as `team:fraud`."""

    source: Source
    columns: dict[str, Column] = Field(min_length=1)
    """The contract of a row, by column name."""

    row_key: list[str] = Field(min_length=1)
    """Columns that together identify a row; unique within a day."""

    event_time: str
    """The timestamp column that orders rows and determines their day."""

    task: Task = "binary"
    """Kind of the target. binary: two classes, with a score and a decision. regression: an amount. multiclass: one of
    `classes`, with the probability of each."""

    target: TargetName
    """The label. binary: a boolean column, an integer column of 0 and 1, or any column of two values with `positive`;
    or {column: arrival_delay, above: 30} (or below, equals, in), which makes the boolean column `name` (label) from a
    landed one. regression: an integer or a number. multiclass: an integer or string column."""

    derived_target: SkipJsonSchema[DerivedTarget | None] = None

    classes: list[ClassLabel] = []
    """The classes of a multiclass target, integers or strings, in the order of their columns in predictions. `classes`
    and the allowed values of the target's column default to each other."""

    positive: PositiveLabel | None = None
    """The label of the positive class of a binary target, such as "yes"; true or 1 by default."""

    sample_weight: str | None = None
    """The column with the weight of a row in training and metrics; its contract needs a `minimum` of 0 or more."""

    entity: str | None = None
    """The column of the entity that a decision is about (a card, a customer)."""

    label_delay: Days
    """Time from the event of a row until its label is known, in whole days."""

    labels: Labels | None = None
    """Label files, for labels that are not in the files of the rows."""

    late_data: LateData = LateData()
    quality: Quality = Quality()
    features: list[Feature] = Field(min_length=1)
    """The features, in the order in which the model sees them."""

    training: Training
    evaluation: Evaluation = Evaluation()
    gates: Gates = Field(min_length=1)
    """Bounds on metrics; a model that violates one is not registered."""

    champion: ChampionGate | None = ChampionGate()
    """The comparison with the champion; null switches it off."""

    deployment: Deployment = Deployment()
    checks: Checks = Checks()
    metrics: list[Metric] = []
    """Named metrics of each day's features in the table feature_metrics, in addition to `row_count` and, with an
    entity, `distinct_<entity>`."""

    compute: Compute = Compute()
    retries: Retries = Retries()
    backfill: Backfill = Backfill()
    sensor: Sensor = Sensor()
    schedule: Schedule = Schedule()
    freshness: Freshness = Freshness()
    retention: Retention = Retention()

    _key_prefix: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="before")
    @classmethod
    def _accept_short_and_old_forms(cls, attributes: object) -> object:
        if not isinstance(attributes, Mapping):
            return attributes
        attributes = complete_training(complete_metrics(complete_classes(complete_target(attributes))))
        if not isinstance(checks := attributes.get("checks"), Mapping):
            return attributes
        return {**attributes, "checks": complete_checks(attributes.get("name"), checks)}

    @model_validator(mode="after")
    def _parts_agree(self) -> "ModelSpec":
        check_column_names(self.columns)
        check_roles(self.columns, self.row_key, self.event_time, self.target, self.entity, self.evaluation.slices)
        check_days(self.source, self.training.window, self.evaluation.holdout, self.label_delay)
        check_features(self.columns, self.features, self.target, late := self.late_columns())
        check_late_columns(self.columns, late, self.derived_target, self.labels, self.request_columns())
        self._check_task()
        self._check_checks_and_gates()
        check_labels(self.labels, self.columns, self.target)
        keys = [("row_key", self.row_key), ("labels.key", self.labels.key if self.labels else [])]
        check_severities(self.columns, [*keys, ("event_time", [self.event_time]), ("target", [self.target])])
        names, categorical = self.feature_names(), self.categorical_features()
        check_checks(self.checks, self.columns, names, self.training.when)
        capture, clear = self.deployment.capture, [*self.row_key, self.event_time]
        check_capture(capture, self.request_columns(), clear, names, categorical)
        check_metrics(self.metrics, self.columns, names, categorical, self.row_identity_columns(), self.entity)
        reach = timedelta(days=self.reach_in_days())
        self.retention.check(self.feature_history() + reach, reach, self.sensor.look_back)
        return self

    def _check_task(self) -> None:
        check_target(self.columns, self.target, self.task, self.classes, self.positive)
        roles = {"event_time": self.event_time, "target": self.target, "entity": self.entity}
        check_weight(self.columns, self.sample_weight, roles)
        names = self.feature_names()
        check_training(self.outputs, self.training, self.columns[self.target], self.numeric_features(), names)
        check_evaluation(self.task, self.evaluation, self.labels, self.target, self.target_features())
        check_outputs(self.columns, names, self.outputs)

    @property
    def outputs(self) -> Outputs:
        """The columns of predictions."""
        return Outputs(self.task, tuple(self.classes), tuple(self.training.quantiles))

    def _check_checks_and_gates(self) -> None:
        for name in self.evaluation.slices:
            self.column("evaluation.slices", name)
        check_metrics_of_task(
            self.outputs, self.evaluation, self.gates, self.champion, self.deployment.canary, self.checks
        )
        check_marker(self.source, self.sensor)
        if self.entity is None:
            check_without_entity(self.evaluation, self.gates, self.deployment)
        check_preprocessing(self.training.preprocessing, self.numeric_features(), self.categorical_features())

    def with_key_prefix(self, prefix: Sequence[str]) -> "ModelSpec":
        """Return a copy of the specification whose asset keys have a prefix; tables and folders have none."""
        copy = self.model_copy()
        copy._key_prefix = tuple(prefix)  # noqa: SLF001
        return copy

    def key_path(self, asset: str) -> list[str]:
        """Return the parts of the key of an asset: the prefix, the name of the model, and the name of the asset."""
        return [*self._key_prefix, self.name, asset]

    def column(self, where: str, name: str) -> Column:
        """Return the column that the field `where` of the specification names.

        Raises:
            ValueError: when there is no such column; names the field and the columns.
        """
        return column_of(self.columns, where, name)

    def feature_names(self) -> list[str]:
        """Return the names of all feature columns, in the order in which the model sees them."""
        return [name for feature in self.features for name in feature.names()]

    def categorical_features(self) -> list[str]:
        """Return the names of the feature columns that hold categories."""
        return [name for feature in self.features if isinstance(feature, Categorical) for name in feature.names()]

    def numeric_features(self) -> list[str]:
        """Return the names of the feature columns that hold numbers."""
        categorical = set(self.categorical_features())
        return [name for name in self.feature_names() if name not in categorical]

    def identity_columns(self) -> list[str]:
        """Return the columns of evaluated rows other than features: keys, event time, entity, target, slices,
        weight."""
        entity, labels = [self.entity] if self.entity else [], self.labels.key if self.labels else []
        weight, slices = [self.sample_weight] if self.sample_weight else [], self.evaluation.slices
        return list(dict.fromkeys([*self.row_key, *labels, self.event_time, *entity, self.target, *slices, *weight]))

    def row_identity_columns(self) -> list[str]:
        """Return the identity columns that are known with the row: all but the target where labels come in files of
        their own.
        """
        return [name for name in self.identity_columns() if self.labels is None or name != self.target]

    def request_columns(self) -> list[str]:
        """Return the identity columns of a scoring request: all but the target."""
        return [name for name in self.identity_columns() if name != self.target]

    def late_columns(self) -> dict[str, timedelta]:
        """Return the columns that are known later than their rows, including the target, each with its delay."""
        late = {self.derived_target.column: self.label_delay} if self.derived_target else {}
        late |= {name: column.known_after for name, column in self.columns.items() if column.known_after}
        return {**late, self.target: self.label_delay}

    def target_features(self) -> list[Feature]:
        """Return the features that read the target of earlier rows: windows over it, and custom functions, which get
        all columns.
        """
        windows = [f for f in self.features if isinstance(f, WindowAggregate) and f.value == self.target]
        return [*windows, *(f for f in self.features if isinstance(f, CustomFeatures))]

    def longest_reach(self) -> timedelta:
        """Return the length of the history before a row that its features read."""
        reaches = [f.reach() for f in self.features if isinstance(f, WindowAggregate)]
        return max([timedelta(0), *reaches, *(f.reads for f in self.features if isinstance(f, CustomFeatures))])

    def feature_history(self) -> timedelta:
        """Return the age of the oldest day of features that a model made today reads."""
        search_age = self.training.search.every - timedelta(days=1) if self.training.search else timedelta(0)
        days = 2 * self.label_delay + self.evaluation.holdout + self.training.window
        return days + search_age + self.training.longest_gap

    def reach_in_days(self) -> int:
        """Return the number of earlier days that a day of features may read; clock changes add an hour."""
        reach = self.longest_reach()
        clock_change = timedelta(hours=1) if reach and self.source.time_zone != "UTC" else timedelta(0)
        return -(-(reach + clock_change) // timedelta(days=1))
