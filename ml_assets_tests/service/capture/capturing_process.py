"""A process that captures requests until it is killed, for `test_killed_processes`: spool, lake, first number."""

import sys
import time
from pathlib import Path

from ml_assets.core.serving.captured_requests import RequestColumns
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.segments import Segments
from ml_assets.service.capture import request_capture
from ml_assets.service.capture.request_capture import RequestCapture
from ml_assets.service.capture.spool import Spool
from ml_assets_tests.core.serving.request_cases import request, spec_with

TICK_SECONDS, ROWS_PER_SEGMENT = 0.05, 20


def capture_of(spool: Path, lake: Path) -> RequestCapture:
    """Build a capture that writes small segments often."""
    request_capture.TICK_SECONDS, request_capture.ROWS_PER_SEGMENT = TICK_SECONDS, ROWS_PER_SEGMENT
    spec = spec_with()
    assert spec.deployment.capture
    segments = Segments(Directory(lake), spec.name)
    return RequestCapture(RequestColumns(spec, None), spec.deployment.capture, Spool(spool), segments.write)


if __name__ == "__main__":
    capture, number = capture_of(Path(sys.argv[1]), Path(sys.argv[2])), int(sys.argv[3])
    # The first write loads pandas and Arrow, which a service has loaded with its history.
    capture.record(request(number - 1))
    capture.close_spool_if_due(everything=True)
    capture.write_segments()
    capture.start()
    while True:
        capture.record(request(number))
        print(number, time.monotonic(), flush=True)
        number += 1
        time.sleep(0.002)
