"""Roles: they allow the API calls of dagster-k8s, and nothing else."""

import re
from pathlib import Path

import dagster_k8s
import pytest

from ml_assets_tests.helm.charts import PLACES, REPOSITORY, of_kind, rendered

# Accounts by the names of their roles.
ACCOUNTS = {"ml-assets-dagster": "dagster", "ml-assets-runs": "ml-assets"}
# Calls of the client, as (verb, resource) of a role.
VERBS = {"create": "create", "read": "get", "list": "list", "delete": "delete", "patch": "patch", "replace": "update"}
RESOURCES = {"job": "jobs", "job_status": "jobs/status", "pod": "pods", "pod_log": "pods/log", "event": "events"}


def called() -> set[tuple[str, str]]:
    """List the API calls of the installed dagster-k8s for runs and steps, read from its source."""
    # Pipes create pods themselves, and nothing here uses pipes.
    source = "".join(
        path.read_text() for path in Path(dagster_k8s.__file__).parent.glob("*.py") if path.name != "pipes.py"
    )
    calls = set(re.findall(r"api\.(create|read|list|delete|patch|replace)_namespaced_([a-z_]+?)(?=\b)", source))
    return {(VERBS[verb], RESOURCES[resource.removesuffix("_with_retries")]) for verb, resource in calls}


@pytest.mark.parametrize("place", PLACES)
def test_roles_allow_the_calls_of_dagster_k8s_and_nothing_else(place):
    roles = of_kind(rendered(place), "Role")
    assert {role["metadata"]["name"] for role in roles} == set(ACCOUNTS)
    for role in roles:
        allowed = {
            (verb, resource) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]
        }
        assert allowed == called()


@pytest.mark.parametrize("place", PLACES)
def test_no_role_has_a_wildcard_or_secrets_or_cluster_wide_rights(place):
    manifests = rendered(place)
    assert of_kind(manifests, "ClusterRole") + of_kind(manifests, "ClusterRoleBinding") == []
    for role in of_kind(manifests, "Role"):
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert "secrets" not in rule["resources"]


@pytest.mark.parametrize("place", PLACES)
def test_each_role_is_bound_only_to_its_account_and_other_accounts_have_no_token(place):
    manifests = rendered(place)
    for binding in of_kind(manifests, "RoleBinding"):
        [subject] = binding["subjects"]
        assert subject == {
            "kind": "ServiceAccount",
            "name": ACCOUNTS[binding["metadata"]["name"]],
            "namespace": "ml-assets",
        }
        assert binding["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": binding["metadata"]["name"],
        }
    accounts = {
        account["metadata"]["name"]: account["automountServiceAccountToken"]
        for account in of_kind(manifests, "ServiceAccount")
    }
    assert {name for name, token in accounts.items() if token} == set(ACCOUNTS.values())


def test_on_eks_each_account_has_its_own_role():
    roles = [
        account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
        for account in of_kind(rendered("production"), "ServiceAccount")
    ]
    assert len(set(roles)) == len(roles) == 5


def test_the_documentation_lists_the_rights_of_the_roles():
    text = (REPOSITORY / "docs" / "how-to" / "kubernetes.md").read_text()
    rows = re.findall(r"^\| `([a-z/]+)`[^|]*\| ((?:[a-z]+, )*[a-z]+) \|", text, re.MULTILINE)
    assert {(verb, resource) for resource, verbs in rows for verb in verbs.split(", ")} == called()
