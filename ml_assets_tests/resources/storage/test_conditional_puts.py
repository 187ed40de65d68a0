"""A lake on S3 is opened only if the store keeps commits apart: real HTTP servers that do, and that do not."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

import pyarrow as pa
import pytest

from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.support.http_server import QuietHandler

SCHEMA = pa.schema([("a", pa.int64())])
Answer = tuple[int, bytes]
Change = Callable[[str, dict[str, str]], Answer | None]


def refusal(status: int, code: str) -> Answer:
    return status, f"<Error><Code>{code}</Code><Message>AKIAEXAMPLE is refused</Message></Error>".encode()


class Proxy:
    """An HTTP server in front of the store, which forwards requests, can change their headers or refuse them, and
    counts them.
    """

    def __init__(self, store: str, change: Change):
        proxy = self

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def hand_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {
                    name: value for name, value in self.headers.items() if name.lower() not in ("connection", "expect")
                }
                proxy.probes += self.command == "PUT" and "/_probe/" in self.path
                refused = change(self.command, headers)
                status, content, answered = (
                    (*refused, {}) if refused else proxy.ask(store, self.path, self.command, headers, body)
                )
                self.send_response(status)
                for name, value in answered.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                        self.send_header(name, value)
                length = answered.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
                self.send_header("Content-Length", length)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = hand_on

        self.probes = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    @staticmethod
    def ask(
        store: str, path: str, method: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection(store.partition("://")[2])
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()


@contextmanager
def proxy(store: str, change: Change) -> Iterator[Proxy]:
    proxy = Proxy(store, change)
    threading.Thread(target=proxy.server.serve_forever, args=(0.02,), daemon=True).start()
    yield proxy
    proxy.server.shutdown()


def as_it_is(method: str, headers: dict[str, str]) -> None:
    pass


def without_condition(method: str, headers: dict[str, str]) -> None:
    for name in [name for name in headers if name.lower() == "if-none-match"]:
        del headers[name]


def not_implemented(method: str, headers: dict[str, str]) -> Answer | None:
    return refusal(501, "NotImplemented") if any(name.lower() == "if-none-match" for name in headers) else None


def test_a_store_is_asked_once_for_all_tables_and_nothing_of_it_stays(bucket):
    uri, s3 = bucket
    with proxy(s3["endpoint_url"], as_it_is) as between:
        through = {**s3, "endpoint_url": between.address}
        Lake(uri=uri, s3=through).table("m", "x", SCHEMA)
        assert between.probes == 2
        Lake(uri=uri, s3=through).table("m", "x", SCHEMA)
        Lake(uri=uri, s3=through).table("m", "y", SCHEMA)
        assert between.probes == 2
        Lake(uri=f"{uri}/other", s3=through).table("m", "x", SCHEMA)
        assert between.probes == 4
    assert all("_delta_log" in stored.key for stored in open_objects(uri, s3).describe(""))


def test_a_store_that_ignores_the_condition_is_refused_each_time_before_anything_is_written(bucket):
    uri, s3 = bucket
    with proxy(s3["endpoint_url"], without_condition) as between:
        through = {**s3, "endpoint_url": between.address}
        for _ in range(2):
            with pytest.raises(
                LakeError, match=r"ignored the condition.*overwrite each other's commit.*Use a store that"
            ) as refused:
                Lake(uri=uri, s3=through).table("m", "x", SCHEMA)
        assert between.probes == 4
        assert between.address in str(refused.value)
        assert uri.split("/")[2] in str(refused.value)
    assert open_objects(uri, s3).describe("") == []


def test_a_store_without_conditional_puts_is_refused(bucket):
    uri, s3 = bucket
    with (
        proxy(s3["endpoint_url"], not_implemented) as between,
        pytest.raises(LakeError, match=r"answered that it cannot \(NotImplemented, HTTP 501\)"),
    ):
        Lake(uri=uri, s3={**s3, "endpoint_url": between.address}).table("m", "x", SCHEMA)


def test_the_error_of_a_missing_bucket_contains_its_name_and_endpoint(bucket):
    _, s3 = bucket
    with pytest.raises(
        LakeError, match=f"bucket no-such-bucket at {s3['endpoint_url']}: there is no such bucket. Create it"
    ):
        Lake(uri="s3://no-such-bucket/lake", s3=s3).table("m", "x", SCHEMA)


def test_the_error_of_credentials_that_may_not_write_does_not_contain_them(bucket, monkeypatch):
    uri, s3 = bucket

    def denied(method: str, headers: dict[str, str]) -> Answer:
        return refusal(403, "AccessDenied")

    with (
        proxy(s3["endpoint_url"], denied) as between,
        pytest.raises(LakeError, match=r"\(AccessDenied.*s3:PutObject") as refused,
    ):
        Lake(uri=uri, s3={**s3, "endpoint_url": between.address}).table("m", "x", SCHEMA)
    assert "AKIA" not in str(refused.value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_EC2_METADATA_DISABLED", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "true")
    with pytest.raises(LakeError, match="no usable credentials"):
        Lake(uri=uri, s3=s3).table("m", "x", SCHEMA)


def test_the_error_of_an_unreachable_store_does_not_contain_the_password_of_its_url(bucket):
    uri, s3 = bucket
    nobody = {"endpoint_url": "http://user:password@127.0.0.1:9", "max_attempts": "1", "region_name": s3["region_name"]}
    with pytest.raises(
        LakeError, match=r"at http://127\.0\.0\.1:9: the store cannot be reached .*AWS_ENDPOINT_URL"
    ) as refused:
        Lake(uri=uri, s3=nobody).table("m", "x", SCHEMA)
    assert "password" not in str(refused.value)


def test_a_store_that_reports_a_concurrent_put_honours_the_condition(bucket):
    uri, s3 = bucket
    refusals = iter([None, refusal(409, "ConditionalRequestConflict")])

    def busy(method: str, headers: dict[str, str]) -> Answer | None:
        return next(refusals, None) if not_implemented(method, headers) else None

    with proxy(s3["endpoint_url"], busy) as between:
        Lake(uri=uri, s3={**s3, "endpoint_url": between.address}).table("m", "x", SCHEMA)


@pytest.mark.slow
def test_a_probe_object_that_may_not_be_deleted_is_no_error(bucket, caplog):
    uri, s3 = bucket

    def keeping(method: str, headers: dict[str, str]) -> Answer | None:
        return refusal(403, "AccessDenied") if method == "DELETE" else None

    with proxy(s3["endpoint_url"], keeping) as between:
        Lake(uri=uri, s3={**s3, "endpoint_url": between.address}).table("m", "x", SCHEMA)
    assert "could not be deleted" in caplog.text


def test_a_lake_in_a_directory_is_not_checked(tmp_path):
    Lake(uri=str(tmp_path), s3={"endpoint_url": "http://127.0.0.1:9"}).table("m", "x", SCHEMA)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
