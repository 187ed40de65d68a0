"""Clients that send nothing, half of something, or too much, against a real server with short deadlines."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from ml_assets.cli.command_inputs import require_spec
from ml_assets.cli.commands.serve import build_app
from ml_assets.defs.settings import Settings
from ml_assets.service.limits import Limits
from ml_assets_tests.service.conftest import listening
from ml_assets_tests.support.hostile_clients import connect, drip, exchange, flood, half_open, is_open

DEADLINE = 1.0
TOTAL, PER_CLIENT = 60, 40
GET = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a service without a model, which answers 503 to every complete request."""
    root = tmp_path_factory.mktemp("service")
    settings = Settings("local", str(root), str(root), f"sqlite:///{root}/none.db", "", "", {})
    limits = Limits(
        body_bytes=100_000,
        registry_seconds=600,
        history_seconds=600,
        head_seconds=DEADLINE,
        body_seconds=DEADLINE,
        connections=TOTAL,
        connections_per_client=PER_CLIENT,
        per_second=None,
    )
    app = build_app(require_spec("fraud_detection"), settings, limits)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr("ml_assets.service.server.run.KEEP_ALIVE_SECONDS", 1)
    with listening(app, limits) as port:
        yield port
    monkeypatch.undo()


def metric(port: int, name: str) -> float:
    lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_a_connection_is_closed_when_the_client_stops(port):
    statuses = {
        b"": b"",
        b"GET /health HT": b"408",
        b"GET /health HTTP/1.1\r\nHost: a\r\nX-A": b"408",
        b"\r\n": b"408",
        POST + b"Content-Length: 100\r\n\r\n": b"408",
        POST + b"Content-Length: 100\r\n\r\n{": b"408",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{": b"408",
        GET + b"GET /heal": b"200",
    }
    begun = time.monotonic()
    with ThreadPoolExecutor(len(statuses)) as clients:
        answers = clients.map(lambda sent: exchange(port, sent)[9:12], statuses)
        assert dict(zip(statuses, answers, strict=True)) == statuses
    assert time.monotonic() - begun < 5


def test_a_byte_now_and_then_does_not_extend_a_deadline(port):
    contents = [GET, POST + b"Content-Length: 1000\r\n\r\n" + b" " * 1000, b"\r\n" * 500]
    with ThreadPoolExecutor(len(contents)) as clients:
        assert max(clients.map(lambda sent: drip(port, sent, 0.2), contents)) < 5


def test_a_body_that_nobody_waits_for_is_not_read_for_ever(port):
    head = b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n"
    begun = time.monotonic()
    assert exchange(port, head, b" ", pause=0.1).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - begun < 5
    with connect(port) as client:
        client.sendall(head)
        assert flood(client, b" " * 65_536, 1_000)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /health HTTP/1.1\r\nHost: a\r\n" + b"X-A: b\r\n" * 40_000 + b"\r\n", b"431"),
        (b"GET /" + b"a" * 300_000, b"431"),
        (b"\x00\x01\x02", b"400"),
        (b"GET /health HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (POST + b"Content-Length: -1\r\n\r\n", b"400"),
        (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", b"400"),
        (POST + b"Content-Length: 200000\r\n\r\n", b"413"),
    ],
)
def test_what_is_no_request_or_too_large_is_refused_at_once(port, sent, status):
    with connect(port) as client:
        begun = time.monotonic()
        try:
            client.sendall(sent)
        except OSError:
            # The server has closed the connection meanwhile.
            return
        try:
            answer = client.recv(1_000)
        except ConnectionResetError:
            return
        assert answer[9:12] == status
        assert time.monotonic() - begun < DEADLINE


@pytest.mark.parametrize(
    "sent",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /health\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        b"GET http://evil.example/health HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /%zz%00%ff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /score?reasons=%ff&reasons=\x7f HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        POST + b"X-API-Key: \xff\r\nContent-Length: 2\r\n\r\n{}",
        POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ],
)
def test_odd_requests_end_in_no_fault_of_the_service(port, sent, caplog):
    with connect(port) as client:
        client.sendall(sent)
        answer = client.recv(1_000)
    assert answer[9:12] != b"500"
    assert not [record for record in caplog.records if record.levelname == "ERROR" and "ASGI" in record.message]
    assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200


def test_trailers_without_end_are_refused(port):
    with connect(port) as client:
        client.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n")
        assert flood(client, b"X-A: b\r\n" * 8_000, 1_000)


def test_pipelined_requests_are_answered_up_to_a_number(port):
    answer = exchange(port, GET * 5 + GET.replace(b"Host: a", b"Host: a\r\nConnection: close"))
    assert answer.count(b"HTTP/1.1 200") == 6
    flood = exchange(port, GET * 5_000)
    assert flood.count(b"HTTP/1.1 200") < 100
    assert metric(port, 'ml_assets_closed_connections_total{reason="too_many_pipelined"}') >= 1


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (GET * 3 + b"garbage\r\n\r\n", 3),
        (POST + b"Content-Length: 2\r\n\r\n{}" + GET + b"garbage\r\n\r\n", 2),
        (GET * 2 + POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 2),
        (GET * 30, 17),
    ],
)
def test_complete_requests_before_a_broken_one_are_answered(port, sent, answered, caplog):
    answers = exchange(port, sent)
    assert sum(map(answers.count, (b"HTTP/1.1 200", b"HTTP/1.1 503"))) == answered
    assert answers.count(b"HTTP/1.1 400") == 1
    assert answers.endswith(b"Invalid HTTP request received.")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_client_that_leaves_its_pipelined_requests_behind_is_no_error(port, caplog):
    for _ in range(10):
        with connect(port) as client:
            client.sendall((POST + b"Content-Length: 2\r\n\r\n{}") * 10)
    assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_half_open_connections_of_one_client_displace_each_other_and_no_other(port):
    with (
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(local_address="127.0.0.3")
        ) as c,
        half_open(port, 3 * PER_CLIENT, b"GET /hea", source="127.0.0.2") as clients,
    ):
        assert c.get("/health").status_code == 200
        assert not is_open(clients[0])
        assert sum(map(is_open, clients)) <= PER_CLIENT
        assert c.get("/health").status_code == 200
    assert metric(port, 'ml_assets_closed_connections_total{reason="too_many_of_client"}') >= 2 * PER_CLIENT


def test_half_open_connections_of_many_clients_leave_room_for_a_request(port):
    before = len(os.listdir("/proc/self/fd"))
    with (
        half_open(port, PER_CLIENT, source="127.0.0.4"),
        half_open(port, PER_CLIENT, POST + b"Content-Length: 50\r\n\r\n{", source="127.0.0.5"),
        half_open(port, PER_CLIENT, b"G", source="127.0.0.6"),
    ):
        begun = time.monotonic()
        assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
        assert time.monotonic() - begun < DEADLINE
        # Their other ends are descriptors of this process too.
        assert len(os.listdir("/proc/self/fd")) - before <= 3 * PER_CLIENT + TOTAL + 5
    assert metric(port, 'ml_assets_closed_connections_total{reason="too_many"}') > 0


def test_no_redirect_follows_the_host_header(port):
    answer = httpx.post(f"http://127.0.0.1:{port}/score/", headers={"Host": "evil.example"}, json={})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    assert "evil" not in str(answer.headers) + answer.text


def test_refusals_are_short_and_counted(port):
    address = f"http://127.0.0.1:{port}/score"
    before = metric(port, "ml_assets_requests_total")
    answers = [
        httpx.post(address, content=b"a=1", headers={"Content-Type": "application/x-www-form-urlencoded"}),
        httpx.post(address, content=b"{}", headers={"Content-Type": "application/json; charset=utf-16"}),
        httpx.post(address, content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
        httpx.post(f"{address}?reasons={'x' * 30_000}", json={}),
        httpx.get(address),
        httpx.post(address, json={}),
    ]
    assert [answer.status_code for answer in answers] == [415, 415, 415, 422, 405, 503]
    assert max(len(answer.content) for answer in answers) < 1_000
    assert metric(port, "ml_assets_requests_total") == before + len(answers)


def test_a_forwarded_address_is_ignored_without_a_trusted_proxy(port):
    from ml_assets.service.uvicorn_internals.http_protocol import trusted_hosts

    assert "127.0.0.1" not in trusted_hosts(None)
    assert "10.0.0.7" in trusted_hosts("10.0.0.0/8, 192.168.0.1")
