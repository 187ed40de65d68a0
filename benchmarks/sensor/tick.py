"""A tick of the arrivals sensor over 400 days on S3 in which nothing has changed, against a bare listing.

    python -m benchmarks.sensor.tick fill|tick|floor ADDRESS

The lake holds all days under the fingerprints that the sensor expects. The floor is boto3's paginated listing of the
landing, which compares nothing. Processor seconds and memory are those of the measured process alone; wall seconds
include the server, which writes a page more slowly than a store would, so the time limit of a tick is off here.
"""

import json
import resource
import sys
import time
from datetime import UTC, datetime, timedelta

from benchmarks.sensor.store import BUCKET, DAYS, LAKE, LAST, requests_answered

MAX_REPEATS = 3
MAX_SECONDS = 20.0
NOW = datetime(2026, 11, 13, 12, tzinfo=UTC)


def sensor(address: str):
    """Build specification, landing and lake, with a new client and newly opened tables, as each tick has them."""
    from ml_assets.cli.demo.simulated_days import read_simulated_spec
    from ml_assets.resources.lake.lake import Lake
    from ml_assets.resources.storage.landing import Landing

    spec = read_simulated_spec()
    source = spec.source.model_copy(update={"files": "events/{day}/*", "start": LAST - timedelta(days=DAYS - 1)})
    spec = spec.model_copy(
        update={"source": source, "sensor": spec.sensor.model_copy(update={"look_back": timedelta(days=DAYS)})}
    )
    s3 = {"endpoint_url": address, "region_name": "us-east-1"}
    return spec, Landing(uri=f"s3://{BUCKET}", s3=s3), Lake(uri=f"s3://{LAKE}/lake", s3=s3)


def fill_lake(address: str) -> None:
    """Commit every day to the lake under the fingerprint of what lies in the landing."""
    from ml_assets.core.model_spec.file_feed import rows_feed
    from ml_assets.core.tables.fingerprint import fingerprint
    from ml_assets.core.tables.schemas import raw_schema
    from ml_assets.pipeline.ingestion.stage import Ingestion, describe_objects

    spec, landing, lake = sensor(address)
    stage, expected = Ingestion(rows_feed(spec), spec.late_data, lake, landing, spec.sensor.look_back), {}
    for landed in landing.complete_days(spec.source, spec.sensor, spec.source.start, LAST, NOW):
        expected[landed.day] = fingerprint(stage.code, stage.spec_part, describe_objects(landed.objects or []))
    for begin in range(0, DAYS, 50):
        days = list(expected)[begin : begin + 50]
        stage.tables[stage.name].commit(
            {day: raw_schema(spec).empty_table() for day in days}, {day: expected[day] for day in days}
        )


def tick(address: str) -> None:
    """Run one tick in which nothing has changed."""
    from ml_assets.core.ingestion.sensor_cursor import SensorCursor
    from ml_assets.pipeline.automation.arrivals_sensor import scan_arrivals, status_in_lake

    spec, landing, lake = sensor(address)
    get_status = status_in_lake(spec, lake, landing)
    scan = scan_arrivals(spec, landing, get_status, SensorCursor(), NOW, clock=lambda: 0.0)
    assert not scan.requests
    assert f"scanned {DAYS} complete days" in scan.summary
    assert scan.summary.endswith("nothing changed"), scan.summary


def floor(address: str) -> None:
    """List all objects and compare nothing."""
    import boto3

    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        assert page["KeyCount"]


def report(task: str, address: str) -> None:
    """Run `tick` or `floor` up to MAX_REPEATS times within MAX_SECONDS and print the best wall and processor seconds,
    requests, and peak memory (MB).
    """
    work, wall, processor, requests = {"tick": tick, "floor": floor}[task], [], [], 0
    # Load what a code server has loaded after its first tick.
    if task == "tick":
        from ml_assets.pipeline.automation.arrivals_sensor import status_in_lake

        spec, landing, lake = sensor(address)
        status_in_lake(spec, lake, landing)
        landing.has_files(spec.source, LAST)
    while len(wall) < MAX_REPEATS and sum(wall) < MAX_SECONDS:
        answered = requests_answered(address)
        begun, used = time.perf_counter(), time.process_time()
        work(address)
        wall.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
        requests = requests_answered(address) - answered
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall": min(wall), "processor": min(processor), "requests": requests, "peak_mb": memory}))


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill_lake(sys.argv[2])
    else:
        report(sys.argv[1], sys.argv[2])
