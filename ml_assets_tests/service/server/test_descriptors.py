"""Connections leave descriptors for probes, the lake and the registry."""

import resource
import subprocess
import sys

import pytest

from ml_assets.service.server.descriptors import RESERVE, Capacity, divide


def test_all_connections_fit_where_there_are_enough_descriptors():
    assert divide(1_000, 65_536, 40) == Capacity(1_000, 2_048)


@pytest.mark.parametrize(("limit", "already_open"), [(256, 40), (1_024, 40), (4_096, 3_000)])
def test_fewer_descriptors_mean_fewer_connections(limit, already_open):
    connections, backlog = divide(5_000, limit, already_open)
    assert connections >= 16
    assert already_open + RESERVE + connections + backlog <= limit


def test_a_limit_that_leaves_hardly_any_is_refused_with_the_number_to_set():
    with pytest.raises(ValueError, match=r"raise it \(ulimit -n\) to at least 168"):
        divide(1_000, 100, 40)


@pytest.mark.slow
def test_the_limit_of_a_process_is_raised_as_far_as_it_may_be():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (200, 300));"
        "from ml_assets.service.server.descriptors import reserve_descriptors as reserve;"
        "print(reserve(1000).connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    connections, limit = map(int, answer.stdout.split())
    assert (limit, connections < 204) == (300, True)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] != 300
