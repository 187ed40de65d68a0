"""A subclass of the component changes group, tags, dependencies and the prefix of keys, and runs work with that."""

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import model_and_asset
from ml_assets.pipeline.automation.freshness import NEWEST_DAY_ON_TIME
from ml_assets.pipeline.component import ModelPipeline
from ml_assets.pipeline.training.config import request_models
from ml_assets_tests.conftest import ASSETS
from ml_assets_tests.pipeline.world import World, day, rows_of, tags_of

MART = dg.AssetKey("mart")


class RiskPipeline(ModelPipeline):
    """A pipeline as a project may want it."""

    def get_asset_spec(self, base_spec: dg.AssetSpec) -> dg.AssetSpec:
        deps = [*base_spec.deps, *([MART] if base_spec.key.path[-1] == "raw_data" else [])]
        spec = base_spec.replace_attributes(key=base_spec.key.with_prefix("risk"), group_name="risk", deps=deps)
        return spec.merge_attributes(tags={"team": "risk"}, kinds={"python"})

    def get_asset_check_spec(self, base_spec: dg.AssetCheckSpec) -> dg.AssetCheckSpec:
        return base_spec._replace(metadata={"runbook": "https://example.com"})


def resources(world: World) -> dict:
    names = ("lake", "landing", "registry", "tracking", "deploy_target")
    return {name: getattr(world, name) for name in names}


def build(component: ModelPipeline, **bound: object) -> dg.Definitions:
    definitions = component.build_defs(dg.ComponentTree.for_test().load_context)
    none = dg.ResourceDefinition.none_resource()
    bound = bound or dict.fromkeys(("lake", "landing", "registry", "tracking", "deploy_target"), none)
    return dg.Definitions.merge(definitions, dg.Definitions(resources=bound))


def test_jobs_checks_lineage_and_runs_follow_the_changed_keys(small, tmp_path):
    small["checks"] = {"contract": True}
    component = RiskPipeline(ModelSpec.model_validate(small))
    world = World(tmp_path, component.keyed_spec(), instance=dg.DagsterInstance.ephemeral())
    definitions = build(component, **resources(world))
    graph = definitions.resolve_asset_graph()
    keys = {key for key in graph.get_all_asset_keys() if key != MART}
    assert {key.to_user_string() for key in keys} == {f"risk/small/{name}" for name in ASSETS}
    assert {graph.get(key).group_name for key in keys} == {"risk"}
    assert all(graph.get(key).tags["team"] == "risk" and "python" in graph.get(key).kinds for key in keys)
    assert MART in graph.get(dg.AssetKey(["risk", "small", "raw_data"])).parent_keys
    own_checks = [key for key in graph.asset_check_keys if key.name != NEWEST_DAY_ON_TIME]
    assert own_checks
    assert all(graph.get_check_spec(key).metadata["runbook"] for key in own_checks)
    daily = definitions.resolve_job_def("small_daily")
    assert daily.asset_layer.selected_asset_keys == keys
    assert request_models(component.keyed_spec()).keys() <= {step.name for step in daily.nodes}

    for number in (1, 2):
        world.land(day(number), rows_of(day(number)))
    job = definitions.resolve_job_def("small_features")
    result = job.execute_in_process(instance=world.instance, tags=tags_of(day(1), day(2)))
    assert result.success
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    assert {model_and_asset(key) for key in made if key} >= {("small", "features")}
    assert result.get_asset_check_evaluations()
    assert world.stages().features.features.row_counts().keys() == {day(1), day(2)}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda spec: spec.replace_attributes(key=["risk", "data"]), "small/raw_data became risk/data; add a prefix"),
        (
            lambda spec: spec.replace_attributes(key=[spec.key.path[-1][:3], *spec.key.path]),
            "keys of small have different prefixes: can, dep",
        ),
        (lambda spec: spec.replace_attributes(partitions_def=None), "small/raw_data has other partitions"),
        (lambda spec: spec.replace_attributes(deps=[]), "small/validated_data lacks the dependencies small/raw_data"),
    ],
)
def test_what_has_to_stay_is_refused_with_a_sentence(small, change, reason):
    class Changed(ModelPipeline):
        def get_asset_spec(self, base_spec: dg.AssetSpec) -> dg.AssetSpec:
            return change(base_spec)

    with pytest.raises(ValueError, match="get_asset_spec: ") as refused:
        build(Changed(ModelSpec.model_validate(small)))
    assert reason.partition(": can")[0] in str(refused.value)


def test_a_check_keeps_its_name(small):
    class Renamed(ModelPipeline):
        def get_asset_check_spec(self, base_spec: dg.AssetCheckSpec) -> dg.AssetCheckSpec:
            return base_spec._replace(name=f"my_{base_spec.name}")

    with pytest.raises(ValueError, match=r"became small/[a-z_:]*:my_[a-z_]*; a check keeps its name"):
        build(Renamed(ModelSpec.model_validate(small)))
