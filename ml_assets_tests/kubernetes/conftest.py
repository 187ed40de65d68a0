"""One instance for all tests about Kubernetes, because creating its storage takes longer than they do."""

import pytest

from ml_assets_tests.kubernetes.jobs import instance_on_kubernetes


@pytest.fixture(scope="session")
def instance():
    with instance_on_kubernetes() as kubernetes_instance:
        yield kubernetes_instance
