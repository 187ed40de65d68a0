"""A Dask cluster exists already or is made, and not both."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec.dask_cluster import DaskCluster, Kubernetes


def test_a_cluster_exists_already_or_is_made():
    with pytest.raises(ValidationError, match="address and kubernetes exclude each other"):
        DaskCluster(address="tcp://scheduler:8786", kubernetes=Kubernetes(image="ml-assets:1"))
