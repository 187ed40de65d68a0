"""The Dagster component ModelPipeline, whose YAML is the specification of one model."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster.components.scaffold.scaffold import Scaffolder, ScaffoldRequest
from pydantic import BaseModel

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.defs_yaml.model_files import TYPES
from ml_assets.core.model_spec.json_schema import documented_schema
from ml_assets.pipeline.attributes import ModelAttributes, file_schema, load_attributes
from ml_assets.pipeline.automation.arrivals_sensor import arrivals_sensor
from ml_assets.pipeline.automation.conditions import due_sensors, with_due_conditions
from ml_assets.pipeline.automation.failure_sensor import release_after_failure
from ml_assets.pipeline.automation.freshness import freshness_job, freshness_schedule, newest_day_check
from ml_assets.pipeline.automation.jobs import daily_job, features_job, release_job
from ml_assets.pipeline.automation.schedules import daily_schedule
from ml_assets.pipeline.code_location.bound_resources import binds_environment, warn_of_unbound_resources
from ml_assets.pipeline.engine.model_project import name_project
from ml_assets.pipeline.graph.assets import build_assets, list_asset_specs
from ml_assets.pipeline.graph.freshness_policy import freshness_policy
from ml_assets.pipeline.graph.translation import Translation, translate_assets
from ml_assets.pipeline.retention.job import retention_job, retention_schedule

TEMPLATE = """\
# Every field: docs/reference/spec.md in the repository of ml_assets,
# or `dg utils inspect-component ml_assets.ModelPipeline`
type: {type_name}

attributes:
  name: {name}
  description: What the model predicts, and for whom.

  source:
    files: {name}/{{day}}/*        # relative to the landing root; parquet, csv or jsonl
    start: 2025-01-01

  columns:
    row_id: {{type: integer}}
    event_time: {{type: timestamp}}
    customer_id: {{type: integer}}
    amount: {{type: number, minimum: 0}}
    label: {{type: integer, allowed: [0, 1]}}

  row_key: [row_id]
  event_time: event_time
  target: label
  entity: customer_id
  label_delay: 7d

  # Invalid rows are quarantined. Where more than max_rule_share of a day's rows break a rule, the check of the column
  # fails; where more than max_bad_share break any, or fewer than min_rows landed, the day is rejected.
  quality: {{max_bad_share: 0.1, max_rule_share: 0.05, min_rows: 1}}

  features:
    - {{kind: column, columns: [amount]}}
    - {{kind: window, key: customer_id, value: amount, aggregates: [count, mean], windows: [1d, 7d]}}

  training:
    window: 21d
    validation: 4d

  evaluation:
    holdout: 7d

  gates:
    roc_auc: {{minimum: 0.80}}

  # A model that passes its gates first serves a share of the entities: docs/how-to/canary.md
  deployment:
    canary: {{steps: [5, 25, 100], metric: roc_auc}}
"""


ENVIRONMENT_FILE = "ml_assets_environment.py"
ENVIRONMENT = '''\
"""The resources, sensors and executor of ml_assets in this project. Replace resources here to bind your own."""

from pathlib import Path

import dagster as dg
import ml_assets


@dg.definitions
def ml_assets_environment() -> dg.Definitions:
    return ml_assets.environment(Path(__file__))
'''


class ModelScaffolder(Scaffolder):
    """Scaffolder of a defs.yaml that loads without edits and shows the fields that every model needs, and of the file
    that binds the resources.
    """

    def scaffold(self, request: ScaffoldRequest[Any]) -> None:
        """Write `defs.yaml` into the requested folder, and name the model after the folder. Into the defs folder, write
        the file of the environment if no file there binds one.
        """
        request.target_path.mkdir(parents=True, exist_ok=True)
        text = TEMPLATE.format(type_name=request.type_name, name=request.target_path.name.lower().replace("-", "_"))
        (request.target_path / "defs.yaml").write_text(text)
        parents = request.target_path.parents
        defs = next((folder for folder in parents if folder.name == "defs"), parents[0])
        if not binds_environment(defs):
            (defs / ENVIRONMENT_FILE).write_text(ENVIRONMENT)


@dg.scaffold_with(ModelScaffolder)
class ModelPipeline(dg.Component):
    """One model, from its landed files to the predictions of its live versions.

    docs/reference/spec.md lists the fields.
    """

    def __init__(self, spec: ModelSpec):
        self.spec = spec

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Return the schema of `attributes`."""
        return ModelAttributes

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """Describe the component for the tools that list components."""
        return dg.ComponentTypeSpec(
            description=cls.__doc__,
            tags=["machine-learning"],
            produces=["asset", "asset_check", "job", "sensor", "schedule"],
        )

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> "ModelPipeline":
        """Build the component of one defs.yaml.

        Raises:
            ComponentMessageError: naming file, line, field and reason, when the file has no attributes, an environment
                variable that a template names is not set, a field is not valid, or a cron expression is not one that
                Dagster accepts.
        """
        return cls(load_attributes(attributes, context))

    def get_asset_spec(self, base_spec: dg.AssetSpec) -> dg.AssetSpec:
        """Return the specification of an asset. A subclass can override this to change group, tags, kinds, owners,
        description, metadata or automation condition, to add dependencies, or to put a prefix before the key.

        Args:
            base_spec: the specification of this component, with the key `<model>/<asset>`.
        """
        return base_spec

    def get_asset_check_spec(self, base_spec: dg.AssetCheckSpec) -> dg.AssetCheckSpec:
        """Return the specification of a check. A subclass can override this to change description, metadata or whether
        it blocks.

        Args:
            base_spec: the specification of this component. The check `newest_day_on_time` is not passed here, because
                it is not part of the asset's step.
        """
        return base_spec

    def keyed_spec(self) -> ModelSpec:
        """Return the specification with the prefix that `get_asset_spec` gives the keys of the assets."""
        return self._translate()[0]

    def _translate(self, project: str | None = None) -> tuple[ModelSpec, Translation]:
        spec, assets = self.spec, {}
        if type(self).get_asset_spec is not ModelPipeline.get_asset_spec:
            spec, assets = translate_assets(spec, list_asset_specs(spec), self.get_asset_spec)
        return spec, Translation(assets, self.get_asset_check_spec, project)

    def build_defs(self, context: dg.ComponentLoadContext | None) -> dg.Definitions:
        """Build the assets with their checks, the jobs, the sensors and the schedules; without a context if the model
        is built in Python.

        Retention and freshness have jobs and schedules only if the specification sets them, and a sensor evaluates
        automation conditions only where a model is not due every day.

        Raises:
            ValueError: when a subclass changes a fixed part of the specification of an asset or check.
        """
        if context is not None:
            warn_of_unbound_resources(context)
        project = name_project(context.defs_module_name) if context is not None else None
        spec, translation = self._translate(project)
        daily, features, release = daily_job(spec), features_job(spec), release_job(spec)
        retention_jobs = [retention_job(spec, project)] if spec.retention.removes else []
        freshness_checks = [newest_day_check(spec)] if freshness_policy(spec) else []
        freshness_jobs = [freshness_job(spec, check) for check in freshness_checks]
        assets = build_assets(spec, translation)
        if spec.training.every != timedelta(days=1):
            assets = with_due_conditions(spec, assets)
        return dg.Definitions(
            assets=assets,
            asset_checks=freshness_checks,
            jobs=[daily, features, release, *freshness_jobs, *retention_jobs],
            sensors=[
                arrivals_sensor(spec, features, project),
                release_after_failure(spec, daily, release),
                *due_sensors(spec, assets),
            ],
            schedules=[
                daily_schedule(spec, daily),
                *(freshness_schedule(spec, job) for job in freshness_jobs),
                *(retention_schedule(spec, job) for job in retention_jobs),
            ],
        )


def json_schema(has_templates: bool = False) -> Mapping[str, Any]:
    """Build the JSON schema of a defs.yaml, for editors; with `has_templates` it accepts templates as values."""
    schema = file_schema() if has_templates else documented_schema()
    definitions = schema.pop("$defs")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "defs.yaml of a ModelPipeline",
        "type": "object",
        "properties": {"type": {"enum": [*TYPES]}, "attributes": schema},
        "required": ["type", "attributes"],
        "$defs": definitions,
    }
