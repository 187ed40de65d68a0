"""A real webhook on the loopback interface that keeps what it receives."""

import json
import threading
from http.server import ThreadingHTTPServer
from typing import Any

from ml_assets_tests.support.http_server import QuietHandler


class Webhook:
    """A server that answers with `status`, and keeps the JSON of each request answered with 200 in `received`."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        webhook = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if webhook.status == 200:
                    webhook.received.append(json.loads(body))
                self.send_response(webhook.status)
                self.end_headers()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self._server.server_port}/hook-with-a-secret-path"

    def __enter__(self) -> "Webhook":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def titles(self) -> list[str]:
        """The titles of the messages in their order."""
        return [message["title"] for message in self.received]
