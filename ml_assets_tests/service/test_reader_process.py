"""Large requests are read in a process of their own as they are in that of the service, and survive its end."""

import asyncio
import json
import os
import signal

import pytest

from ml_assets.core.serving.request import InvalidRequest, RequestReader
from ml_assets.core.serving.request_limits import RequestLimits
from ml_assets.service.reader_process import ReaderProcess
from ml_assets.service.responses import RequestRejected
from ml_assets_tests.core.features.feature_cases import spec_with

SPEC = spec_with({"kind": "column", "columns": ["amount"]})
ROW = {"id": 7, "time": "2025-01-10T10:00:00Z"}
GOOD = json.dumps({**ROW, "earlier_rows": [{"id": 1, "time": "2025-01-10 09:00"}]}).encode()
BAD = json.dumps({**ROW, "earlier_rows": [{}] * 500}).encode()


def test_requests_are_read_alike_and_a_process_that_ends_is_replaced():
    async def read() -> None:
        process, reader = ReaderProcess(SPEC, RequestLimits()), RequestReader(SPEC)
        try:
            assert await process.read(GOOD) == reader.read(GOOD)
            with pytest.raises(InvalidRequest) as expected:
                reader.read(BAD)
            with pytest.raises(InvalidRequest) as refused:
                await process.read(BAD)
            assert (refused.value.errors, str(refused.value)) == (expected.value.errors, str(expected.value))
            assert process._pool is not None
            (number,) = process._pool._processes
            os.kill(number, signal.SIGKILL)
            with pytest.raises(RequestRejected, match="ended; retry later") as rejected:
                await process.read(GOOD)
            assert rejected.value.status == 503
            assert await process.read(GOOD) == reader.read(GOOD)
        finally:
            process.stop()

    asyncio.run(read())
