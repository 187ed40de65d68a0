"""Benchmark of a tick of the arrivals sensor without changes, over 400 days on S3, against a bare listing.

    python benchmarks/arrivals.py [--objects N ...]

The buckets of landing and lake are served over HTTP by moto in a process of its own, which puts the landed objects into
its memory directly. The lake holds all 400 days under the fingerprints that the sensor expects. The floor is boto3's
paginated listing of the landing, which compares nothing. Requests are all that the server answers, including those that
open the lake's table. Processor seconds and memory are those of the measured process alone; wall seconds include the
server, which writes a page more slowly than a store would, so the time limit of a tick is off here.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
import urllib.request
from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DAYS, BUCKET, LAKE = 400, "landing", "lake"
COUNT = "/_requests_answered"
MAX_REPEATS = 3
MAX_SECONDS = 20.0
NOW = datetime(2026, 11, 13, 12, tzinfo=UTC)
LAST = date(2026, 11, 12)


def serve(objects: int) -> None:
    """Serve a bucket with small objects, spread evenly over the days, until standard input ends; print the address."""
    import logging

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication
    from moto.s3.models import s3_backends
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    store = s3_backends["123456789012"]["aws"]
    for name in (BUCKET, LAKE):
        store.create_bucket(name, "us-east-1")
    for number in range(objects):
        day = LAST - timedelta(days=number % DAYS)
        store.put_object(
            BUCKET, f"events/{day}/part-{number // DAYS:05}.csv", b"id\n%d\n" % number, disable_notification=True
        )
    list_from_an_index(store, sorted(store.get_bucket(BUCKET).keys))
    handle, request_count = DomainDispatcherApplication.__call__, [0]

    def count(application, environ, start_response):
        if environ["PATH_INFO"] == COUNT:
            start_response("200 OK", [])
            return [str(request_count[0]).encode()]
        request_count[0] += 1
        return handle(application, environ, start_response)

    DomainDispatcherApplication.__call__ = count
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
    sys.stdin.read()
    server.stop()


def list_from_an_index(store, names: list[str]) -> None:
    """Make the store find each page by bisection.

    moto itself sorts the whole bucket for each page, which takes a second at 100,000 objects and which no store does.
    """

    moto_listing = store.list_objects_v2

    def page(bucket, prefix, delimiter, continuation_token, start_after, max_keys):
        if bucket.name != BUCKET:
            return moto_listing(bucket, prefix, delimiter, continuation_token, start_after, max_keys)
        begin = max(
            bisect_left(names, prefix or ""),
            bisect_right(names, store._pagination_tokens.get(continuation_token) or start_after or ""),
        )
        page_names = [name for name in names[begin : begin + max_keys + 1] if name.startswith(prefix or "")]
        following = None
        if len(page_names) > max_keys:
            following = f"after-{page_names[max_keys - 1]}"
            store._pagination_tokens[following] = page_names[max_keys - 1]
        return [bucket.keys[name] for name in page_names[:max_keys]], following is not None, following

    store.list_objects_v2 = page


def sensor(address: str):
    """Build specification, landing and lake, with a new client and newly opened tables, as each tick has them."""
    from ml_assets.core.model_spec.defs_yaml.reader import read_spec
    from ml_assets.resources.lake.lake import Lake
    from ml_assets.resources.storage.landing import Landing

    spec = read_spec(REPOSITORY / "ml_assets" / "defs" / "fraud_detection" / "defs.yaml")
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
    stage, expected = Ingestion(rows_feed(spec), spec.late_data, lake, landing), {}
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


def requests_answered(address: str) -> int:
    """Return how many requests the server has answered."""
    with urllib.request.urlopen(address + COUNT) as answer:
        return int(answer.read())


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
    print(json.dumps([min(wall), min(processor), requests, memory]))


def measure(objects: int) -> None:
    """Floor and tick for one number of objects, each in a process of its own, and a line of the table."""
    command = [sys.executable, "-W", "ignore", __file__]
    with subprocess.Popen(
        [*command, "--serve", str(objects)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        subprocess.run([*command, "--fill", address], check=True)
        figures = {}
        for task in ("floor", "tick"):
            output = subprocess.run(
                [*command, "--only", task, address], check=True, capture_output=True, text=True
            ).stdout
            figures[task] = json.loads(output.splitlines()[-1])
        server.stdin.close()
    columns = [f"{objects:>8,}"]
    for wall, processor, requests, memory in (figures["tick"], figures["floor"]):
        columns.append(f"{wall:7.2f} {processor:6.2f} {requests:5} {memory:5.0f}")
    columns.append(
        " ".join(
            f"{tick_figure / floor_figure:6.2f}"
            for tick_figure, floor_figure in zip(figures["tick"], figures["floor"], strict=True)
        )
    )
    print("   ".join(columns), flush=True)


def main() -> None:
    """Measure each number of objects and print the table."""
    import os

    # The store is this benchmark's own.
    os.environ.update({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"})
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--serve", type=int)
    parser.add_argument("--fill")
    parser.add_argument("--only", nargs=2)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        serve(arguments.serve)
    elif arguments.fill:
        fill_lake(arguments.fill)
    elif arguments.only:
        report(*arguments.only)
    else:
        print(
            f"A tick over {DAYS} days without changes: wall and processor seconds, requests, peak memory of "
            "the process in MB"
        )
        print(f"{'objects':>8}   {'the sensor':^26}   {'bare listing':^26}   {'ratio':^27}")
        for objects in arguments.objects:
            measure(objects)


if __name__ == "__main__":
    main()
