"""Clients are counted by address, and by network where a client has many."""

import pytest

from ml_assets.service.clients import client_name


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("", ""),
        ("a socket", "a socket"),
    ],
)
def test_the_name_of_a_client(address, name):
    assert client_name(address) == name
