"""An S3 server with many small objects, which counts the requests that it answers.

    python -m benchmarks.sensor.store OBJECTS

moto puts the objects into its memory directly, and serves them until standard input ends.
"""

import logging
import sys
import urllib.request
from bisect import bisect_left, bisect_right
from datetime import date, timedelta

DAYS, BUCKET, LAKE = 400, "landing", "lake"
LAST = date(2026, 11, 12)
COUNT = "/_requests_answered"


def serve(objects: int) -> None:
    """Serve a bucket with small objects, spread evenly over the days, until standard input ends; print the address."""
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


def requests_answered(address: str) -> int:
    """Return how many requests the server has answered."""
    with urllib.request.urlopen(address + COUNT) as answer:
        return int(answer.read())


if __name__ == "__main__":
    serve(int(sys.argv[1]))
