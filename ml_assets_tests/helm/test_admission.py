"""The admission policy: the jobs of runs name the secrets and accounts that runs need, and no others."""

import json
import re
from pathlib import Path

import pytest
import yaml

from ml_assets_tests.helm.charts import (
    PLACES,
    Manifest,
    containers,
    dagster_values,
    of_kind,
    our_values,
    render,
    rendered,
)
from ml_assets_tests.helm.dagster.dagster_chart import instance_config

SNAPSHOTS = Path(__file__).parents[1] / "kubernetes" / "snapshots"


def policy(place: str, **changes: object) -> Manifest:
    [admission] = of_kind(render(our_values(place, **changes)), "ValidatingAdmissionPolicy")
    return admission


def variables(admission: Manifest) -> dict[str, str]:
    return {variable["name"]: variable["expression"] for variable in admission["spec"]["variables"]}


def names(expression: str) -> list[str]:
    return re.findall(r"'([^']+)'", expression)


@pytest.mark.parametrize(
    ("place", "secrets"),
    [("laptop", ["ml-assets-postgresql", "ml-assets-s3"]), ("production", ["ml-assets-postgresql"])],
)
def test_runs_may_use_the_secrets_of_their_launcher_and_no_other(place, secrets):
    assert names(variables(policy(place))["secrets"]) == secrets
    launcher = instance_config(dagster_values(place))["run_launcher"]["config"]
    needed = {launcher["postgres_password_secret"], *launcher.get("env_secrets", [])}
    assert needed == set(secrets)


def test_more_secrets_and_accounts_can_be_named():
    stated = variables(policy("laptop", admission={"secrets": ["warehouse"], "serviceAccounts": ["fraud-detection"]}))
    assert names(stated["secrets"])[-1] == "warehouse"
    assert names(stated["accounts"]) == ["ml-assets", "fraud-detection"]


@pytest.mark.parametrize("place", PLACES)
def test_the_policy_denies_and_is_bound_to_the_accounts_that_create_jobs(place):
    admission = policy(place)
    [binding] = of_kind(rendered(place), "ValidatingAdmissionPolicyBinding")
    assert binding["spec"] == {"policyName": admission["metadata"]["name"], "validationActions": ["Deny"]}
    assert admission["spec"]["failurePolicy"] == "Fail"
    [condition] = admission["spec"]["matchConditions"]
    creators = {
        subject["name"]
        for role_binding in of_kind(rendered(place), "RoleBinding")
        for subject in role_binding["subjects"]
    }
    assert set(names(condition["expression"])) == {f"system:serviceaccount:ml-assets:{name}" for name in creators}


@pytest.mark.parametrize("enabled", [False, True])
def test_what_an_account_may_create_is_validated(enabled):
    manifests = render(our_values("laptop", dask={"enabled": enabled}))
    created = {
        resource
        for role in of_kind(manifests, "Role")
        for rule in role["rules"]
        if "create" in rule["verbs"]
        for resource in rule["resources"]
    }
    [admission] = of_kind(manifests, "ValidatingAdmissionPolicy")
    validated = {
        resource for rule in admission["spec"]["matchConstraints"]["resourceRules"] for resource in rule["resources"]
    }
    assert created == validated


def test_the_approved_jobs_mount_only_kinds_of_volumes_that_the_policy_admits():
    admitted = set(re.findall(r"has\(volume\.(\w+)\)", json.dumps(policy("laptop"))))
    for path in SNAPSHOTS.rglob("*.yaml"):
        pod = yaml.safe_load(path.read_text())["spec"]["template"]
        assert pod["spec"]["serviceAccountName"], path
        kinds = {kind for volume in pod["spec"]["volumes"] for kind in set(volume) - {"name"}}
        assert kinds <= admitted, path
        assert containers(pod)


@pytest.mark.parametrize("admission", [{"enabled": False}])
def test_the_policy_can_be_switched_off(admission):
    kinds = {manifest["kind"] for manifest in render(our_values("laptop", admission=admission))}
    assert not kinds & {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
