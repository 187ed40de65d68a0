"""The jobs that reach a cluster are those that were approved, valid by Kubernetes' own schemas, and only training asks
for a GPU.
"""

import kubernetes_validate
import pytest
import yaml

from ml_assets_tests.kubernetes.jobs import SNAPSHOTS, approved_form, jobs_of, variants

VARIANTS = ("as_it_is", "gpu", "shared_pod")
STAGES = {"raw_data", "validated_data", "features", "trained_model", "evaluation", "model_registry_entry"}
VERSION = "1.32"


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request):
    return request.param


@pytest.fixture(scope="module")
def jobs(variant, instance):
    return jobs_of(instance, variants()[variant])


def pod(job):
    return job["spec"]["template"]["spec"]


def container(job):
    (one,) = pod(job)["containers"]
    return one


def test_jobs_are_those_that_were_approved(variant, jobs):
    approved = {path.stem: path.read_text() for path in (SNAPSHOTS / variant).glob("*.yaml")}
    assert set(approved) == set(jobs)
    for name, job in jobs.items():
        assert yaml.safe_load(approved_form(job)) == yaml.safe_load(approved[name]), (
            f"{variant}/{name}: look at it, and run `make k8s-approve`"
        )


def test_every_stage_has_its_job_and_light_ones_none_where_they_share_the_pod_of_the_run(variant, jobs):
    assert set(jobs) == {"run", "trained_model"} if variant == "shared_pod" else STAGES | {"run"}


def test_jobs_are_valid_by_the_schemas_of_kubernetes(jobs):
    for job in jobs.values():
        kubernetes_validate.validate(job, VERSION, strict=True)


def test_the_schemas_refuse_a_misspelt_field(jobs):
    job = yaml.safe_load(yaml.safe_dump(jobs["run"]))
    pod(job)["nodeSelektor"] = {"a": "b"}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, VERSION, strict=True)


def test_only_training_asks_for_a_gpu_with_its_nodes_and_tolerations(variant, jobs):
    asking = [name for name, job in jobs.items() if "nvidia.com/gpu" in str(container(job)["resources"])]
    assert asking == (["trained_model"] if variant == "gpu" else [])
    for name, job in jobs.items():
        tolerated = [one["key"] for one in pod(job).get("tolerations", [])]
        assert tolerated == (["nvidia.com/gpu", "dedicated"] if name in asking else [])
        assert ("nvidia.com/gpu.product" in pod(job).get("nodeSelector", {})) == (name in asking)


def test_limits_are_always_set_and_all_but_half_of_the_cpu_is_requested(jobs):
    for job in jobs.values():
        limits, requests = (dict(container(job)["resources"][kind]) for kind in ("limits", "requests"))
        assert float(requests.pop("cpu")) == float(limits.pop("cpu")) / 2
        assert requests == limits
        assert "memory" in limits


def test_every_pod_meets_the_restricted_standard(jobs):
    for job in jobs.values():
        context = container(job)["securityContext"]
        assert context["runAsNonRoot"] is pod(job)["securityContext"]["runAsNonRoot"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True
        assert context["seccompProfile"] == pod(job)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        # The standard allows no other kinds of volumes.
        assert all({"emptyDir", "configMap", "secret"} & set(volume) for volume in pod(job)["volumes"])


def test_a_failed_pod_is_not_started_again_by_kubernetes_and_jobs_go_with_their_run(jobs):
    for name, job in jobs.items():
        assert job["spec"]["backoffLimit"] == 0
        assert job["spec"]["ttlSecondsAfterFinished"] == 6 * 60 * 60
        assert [owner["kind"] for owner in job["metadata"].get("ownerReferences", [])] == (
            [] if name == "run" else ["Pod"]
        )
        annotations = job["spec"]["template"]["metadata"]["annotations"]
        assert annotations == {
            "karpenter.sh/do-not-disrupt": "true",
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        }


def test_cost_is_told_by_model_and_stage_on_job_and_pod(jobs):
    for name, job in jobs.items():
        for labels in (job["metadata"]["labels"], job["spec"]["template"]["metadata"]["labels"]):
            assert (labels["ml-assets/model"], labels["ml-assets/stage"]) == ("fraud_detection", name)


def test_steps_cannot_speak_to_kubernetes_and_the_pod_of_the_run_can(jobs):
    for name, job in jobs.items():
        assert pod(job)["automountServiceAccountToken"] is (name == "run")


def test_training_has_its_own_image_and_all_steps_the_service_account_that_the_specification_names(variant, jobs):
    for name, job in jobs.items():
        is_of_gpu = variant == "gpu" and name == "trained_model"
        assert container(job)["image"] == ("ml-assets:gpu" if is_of_gpu else "ml-assets:test")
        named = "fraud-detection" if variant == "gpu" and name != "run" else "ml-assets"
        assert pod(job)["serviceAccountName"] == named
