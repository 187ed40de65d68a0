"""The ID of a request is that of its client, unless it is none that a header can carry."""

import pytest

from ml_assets.service.capture.request_id import request_id_of


def test_the_header_of_the_client_is_kept():
    assert request_id_of({"x-request-id": "abc-123"}) == "abc-123"


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 129, "é"])
def test_anything_else_gets_a_new_id(given):
    headers = {} if given is None else {"x-request-id": given}
    first, second = request_id_of(headers), request_id_of(headers)
    assert len(first) == 32
    assert first != second
