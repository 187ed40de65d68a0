"""Stage model_registry_entry: one MLflow version per digest of a model that passed every gate."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, NoReturn

from ml_assets.core.model.files import PROVENANCE
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.task import BINARY
from ml_assets.core.tables.code_version import code_version
from ml_assets.core.training.time_split import split_days
from ml_assets.pipeline.asset_names import ENTRY, EVALUATION, FEATURES, MODEL
from ml_assets.pipeline.engine.stage import CannotMake, DayByDay, KeepDay, StageOutput, StageWithArtifacts
from ml_assets.pipeline.engine.upstream import check_not_replaced, read_fingerprint
from ml_assets.pipeline.evaluation.plots import evaluation_plots
from ml_assets.pipeline.steps.report_store import Reports
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import learning_curve, parse_artifacts_key, read_model_files
from ml_assets.resources.registry.model_registry import ModelRegistry, RegisteredVersion

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.operations.reports.daily_report import Part
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation
    from ml_assets.resources.mlflow.model_record import ModelRecord

EXAMPLE_ROWS = 5
PASSED = "passed"
Register = Callable[["ModelRecord"], RegisteredVersion]


def refuse_to_register(record: "ModelRecord") -> NoReturn:
    """Refuse to register from a read-only stage.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"{record.name} of {record.day} is registered by materializing its model_registry_entry")


class ModelRegistration(StageWithArtifacts, DayByDay):
    """One MLflow version per digest of a model that passed every gate; whether and when it goes live is decided later.

    Inputs: the model of the day and its evaluation. A model that failed a gate is not registered.
    """

    name = ENTRY
    reports_missing_inputs = True

    def __init__(
        self,
        spec: ModelSpec,
        lake: Lake,
        registry: ModelRegistry,
        evaluation: "ModelEvaluation",
        register: Register,
    ):
        from ml_assets.core.tables.schemas import REGISTRY_ENTRY_SCHEMA, TRAINED_MODEL_SCHEMA, features_schema

        self.spec = spec
        self.lake = lake
        self.registry = registry
        self.evaluation = evaluation
        self._register = register
        self.code = code_version(__name__)
        self.spec_part = {
            "gates": {metric: gate.model_dump(mode="json") for metric, gate in spec.gates.items()},
            "slice_min_positives": spec.evaluation.slice_min_positives,
            **({} if spec.task == BINARY else {"slice_min_rows": spec.evaluation.slice_min_rows}),
            "champion": spec.champion.model_dump(mode="json") if spec.champion else None,
        }
        self._models = lake.table(spec.name, MODEL, TRAINED_MODEL_SCHEMA)
        self._features = lake.table(spec.name, FEATURES, features_schema(spec))
        self.tables = {ENTRY: lake.table(spec.name, ENTRY, REGISTRY_ENTRY_SCHEMA)}
        self._registered: dict[str, int] | None = None

    def refresh(self) -> None:
        """Forget all cached inputs."""
        self._registered = None
        self._models.refresh()
        self.evaluation.refresh()
        self._features.refresh()
        for table in self.evaluation.tables.values():
            table.refresh()

    def inputs(self, day: date) -> list:
        """Return the fingerprints of the model and of its evaluation.

        Raises:
            KeepDay: when the model failed a gate and no version has its digest; it names the gates. Also while a
                blocking check of the day fails.
        """
        self.evaluation.gate.hold(day)
        if reason := self.evaluation.not_due(day):
            return [read_fingerprint(self.spec.name, self._models, day, ENTRY, MODEL), reason]
        tables = {MODEL: self._models, EVALUATION: self.evaluation.tables[EVALUATION]}
        inputs = [read_fingerprint(self.spec.name, table, day, ENTRY, name) for name, table in tables.items()]
        if not tables[EVALUATION].is_assumed(day) and (reason := self.why_not_registered(day)):
            raise KeepDay(reason)
        return inputs

    def why_not_registered(self, day: date) -> str | None:
        """Return why the model of a day is not registered; None if it is, or may be, or there is no model.

        Raises:
            MlflowUnavailable: when a gate failed and the registry cannot be reached.
        """
        from ml_assets.core.evaluation.gates import failure_reasons

        model = self.evaluation.evaluated_model(day)
        if not model["model_digest"]:
            return None
        failed = failure_reasons(self.evaluation.gate_results(day))
        blocked = self.evaluation.gate.reason_of_evaluation(self.evaluation, day)
        if not (failed or blocked) or self._has_version(model["model_digest"]):
            return None
        return f"gates not passed: {'; '.join([*failed, *([blocked] if blocked else [])])}"

    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        """Find or create the version.

        The entry of a model that failed a gate is computed only if the model was registered before; the tags of its
        version are updated.

        Raises:
            InputChanged: when another process made the model or its evaluation again in the meantime.
        """
        import pyarrow as pa

        from ml_assets.core.tables.schemas import REGISTRY_ENTRY_SCHEMA

        model = self.evaluation.model_row(day)
        if not model["model_digest"]:
            problem = None if self.evaluation.not_due(day) else f"no model: {model['problem']}"
            return StageOutput({ENTRY: REGISTRY_ENTRY_SCHEMA.empty_table()}, problem)
        record = self.record(day)
        check_not_replaced(day, [self._models, self.evaluation.tables[EVALUATION]], f"{self.spec.name}: the {ENTRY}")
        version = self._register(record)
        entry = {
            "model_digest": model["model_digest"],
            "version": str(version.version),
            "mlflow_run_id": version.run_id,
            "gates_passed": record.tags["gates"] == PASSED,
        }
        return StageOutput({ENTRY: pa.Table.from_pylist([entry], schema=REGISTRY_ENTRY_SCHEMA)}, has_side_effects=True)

    def record(self, day: date) -> "ModelRecord":
        """Collect everything that MLflow stores for the model of a day: files, parameters, metrics, plots, and the
        verdict of each gate.
        """
        from ml_assets.core.evaluation.gates import all_passed
        from ml_assets.core.plots.image_format import file_name
        from ml_assets.resources.mlflow.model_record import ModelRecord

        model, gate_results = self.evaluation.model_row(day), self.evaluation.gate_results(day)
        overall = self.evaluation.overall(day)
        artifacts = read_model_files(self.lake, *parse_artifacts_key(model["artifacts"]))
        tags = {
            "trained_model_fingerprint": f"{self._models.fingerprint(day):016x}",
            "evaluation_fingerprint": f"{self.evaluation.tables[EVALUATION].fingerprint(day):016x}",
            "gates": PASSED if all_passed(gate_results) else "failed",
            **{f"gate_{result.gate}": result.reason for result in gate_results},
            **({} if self.spec.task == BINARY else {"task": self.spec.task}),
        }
        plots = evaluation_plots(self.evaluation, day)
        reports = Reports(self.spec.name, self.lake)
        reports.add_plots(day, EVALUATION, plots)
        return ModelRecord(
            name=self.spec.name,
            day=day,
            digest=model["model_digest"],
            artifacts=artifacts,
            example=self._example(day),
            params=self._parameters(model, json.loads(artifacts[PROVENANCE])),
            metrics=dict(zip(overall["metric"], overall["value"], strict=True)),
            plots={file_name(name, plot): plot for name, plot in plots.items()},
            documents={"report.html": reports.page(day, self._outcome(day))},
            curves={
                f"validation_{name}": values for name, values in learning_curve(self.lake, model["artifacts"]).items()
            },
            tags=tags,
            about=self.spec.description,
            lake=self.lake.uri,
            lake_folder=model["artifacts"],
        )

    def _outcome(self, day: date) -> "Part":
        """Return the part of a report that is stored together with a version, before the version has a number."""
        from ml_assets.core.operations.reports.daily_report import Part

        reason = self.why_not_registered(day)
        return Part(ENTRY, day, "not registered" if reason else "registered", reason)

    def _parameters(self, model: Mapping, provenance: Mapping) -> dict[str, object]:
        decisions = {"threshold_rule": self.spec.training.threshold.rule, "threshold": model["threshold"]}
        if self.spec.task != BINARY:
            decisions = {"objective": self.spec.training.objective} if self.spec.training.objective else {}
        days = {name: str(model[name]) for name in ("fit_first", "validation_first", "validation_last")}
        return {
            **provenance["parameters"],
            **decisions,
            "rounds": model["rounds"],
            **days,
            "seed": provenance["seed"],
            "rows": model["rows"],
            **({"positives": model["positives"]} if self.spec.task == BINARY else {}),
        }

    def _example(self, day: date) -> "pd.DataFrame":
        from ml_assets.core.tables.schemas import to_pandas

        names = self.spec.feature_names()
        split = split_days(self.spec, day)
        for feature_day in [*split.holdout, *split.window]:
            frame = to_pandas(self._features.read([feature_day], names))
            if len(frame):
                return frame.head(EXAMPLE_ROWS)
        raise CannotMake(
            f"{self.spec.name}: neither the holdout nor the training window of {day} has rows "
            "for the input example of the model"
        )

    def entry(self, day: date) -> dict | None:
        """Return the committed entry of one day; None if the day has no model."""
        rows = self.tables[ENTRY].read([day]).to_pylist()
        return rows[0] if rows else None

    def has_artifacts(self, day: date) -> bool:
        """Return whether MLflow still has the version that the entry names."""
        entry = self.entry(day)
        if entry is None:
            return True
        return self._has_version(entry["model_digest"])

    def _has_version(self, digest: str) -> bool:
        if self._registered is None:
            self._registered = self.registry.registered(self.spec.name)
        return digest in self._registered
