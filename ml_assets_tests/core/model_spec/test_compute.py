"""Resources that contradict each other or are not in Kubernetes notation are refused."""

import pytest

from ml_assets_tests.support.changed_spec import assert_refused


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("compute.memory", "lots", "pattern"),
    ],
)
def test_memory_is_written_as_kubernetes_writes_it(small, path, value, reason):
    assert_refused(small, path, value, reason)
