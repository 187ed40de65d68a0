"""Jobs equal the approved snapshots and are valid by the schemas of Kubernetes, and only training requests a GPU."""

import kubernetes_validate
import pytest
import yaml

from ml_assets_tests.kubernetes.jobs import SNAPSHOTS, approved_form, jobs_of, variants

VARIANTS = ("as_it_is", "gpu", "own_pods")
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
    (only_container,) = pod(job)["containers"]
    return only_container


def test_jobs_equal_the_approved_snapshots(variant, jobs):
    approved = {path.stem: path.read_text() for path in (SNAPSHOTS / variant).glob("*.yaml")}
    assert set(approved) == set(jobs)
    for name, job in jobs.items():
        assert yaml.safe_load(approved_form(job)) == yaml.safe_load(approved[name]), (
            f"{variant}/{name}: check the change, then run `make k8s-approve`"
        )


def test_every_stage_has_a_job_unless_it_shares_the_pod_of_the_run(variant, jobs):
    assert set(jobs) == {"run", "trained_model"} if variant == "as_it_is" else STAGES | {"run"}


def test_jobs_are_valid_by_the_schemas_of_kubernetes(jobs):
    for job in jobs.values():
        kubernetes_validate.validate(job, VERSION, strict=True)


def test_the_schemas_refuse_a_misspelt_field(jobs):
    job = yaml.safe_load(yaml.safe_dump(jobs["run"]))
    pod(job)["nodeSelektor"] = {"a": "b"}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, VERSION, strict=True)


def test_only_training_requests_a_gpu_with_its_node_selector_and_tolerations(variant, jobs):
    stages_with_gpu = [name for name, job in jobs.items() if "nvidia.com/gpu" in str(container(job)["resources"])]
    assert stages_with_gpu == (["trained_model"] if variant == "gpu" else [])
    for name, job in jobs.items():
        tolerated_keys = [toleration["key"] for toleration in pod(job).get("tolerations", [])]
        assert tolerated_keys == (["nvidia.com/gpu", "dedicated"] if name in stages_with_gpu else [])
        assert ("nvidia.com/gpu.product" in pod(job).get("nodeSelector", {})) == (name in stages_with_gpu)


def test_requests_equal_limits_except_for_half_of_the_cpu(jobs):
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


def test_kubernetes_restarts_no_failed_pod_and_removes_jobs_with_the_pod_of_their_run(jobs):
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


def test_jobs_and_pods_are_labelled_with_model_and_stage(jobs):
    for name, job in jobs.items():
        for labels in (job["metadata"]["labels"], job["spec"]["template"]["metadata"]["labels"]):
            assert (labels["ml-assets/model"], labels["ml-assets/stage"]) == ("fraud_detection", name)


def test_only_the_pod_of_the_run_has_a_service_account_token(jobs):
    for name, job in jobs.items():
        assert pod(job)["automountServiceAccountToken"] is (name == "run")


def test_training_has_its_own_image_and_all_steps_the_service_account_of_the_specification(variant, jobs):
    for name, job in jobs.items():
        is_of_gpu = variant == "gpu" and name == "trained_model"
        assert container(job)["image"] == ("ml-assets:gpu" if is_of_gpu else "ml-assets:test")
        account = "fraud-detection" if variant == "gpu" and name != "run" else "ml-assets"
        assert pod(job)["serviceAccountName"] == account
