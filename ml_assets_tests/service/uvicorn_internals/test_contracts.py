"""The private names of uvicorn that `service/uvicorn_internals` relies on. Each test is named after the feature that
breaks when a dependency changes them.
"""

import asyncio
import inspect

import uvicorn
from uvicorn.middleware.proxy_headers import _TrustedHosts
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import Server, ServerState


def parameters(function) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_http_protocol():
    assert parameters(HttpToolsProtocol.__init__) == ["self", "config", "server_state", "app_state", "_loop"]
    callbacks = {"on_headers_complete", "on_message_complete", "on_response_complete", "pause_writing"}
    assert callbacks | {"data_received", "resume_writing", "connection_made"} <= set(vars(HttpToolsProtocol))

    async def build() -> HttpToolsProtocol:
        config = uvicorn.Config(lambda: None, lifespan="off", log_config=None)
        return HttpToolsProtocol(config, ServerState(), {}, asyncio.get_running_loop())

    assert {"send_400_response", "_start_asgi_task", "connection_lost"} <= set(vars(HttpToolsProtocol))
    assert {"disconnected", "message_event"} <= set(RequestResponseCycle.__init__.__code__.co_names)
    # A request that arrives cancels the task.
    assert {"timeout_keep_alive_handler", "_unset_keepalive_if_required"} <= set(vars(HttpToolsProtocol))
    assert "self.timeout_keep_alive_task.cancel()" in inspect.getsource(HttpToolsProtocol)
    protocol = asyncio.run(build())
    assert {"cycle", "pipeline", "client", "loop", "transport"} <= set(vars(protocol))
    assert "on_response" in parameters(RequestResponseCycle.__init__)
    assert "response_complete" in RequestResponseCycle.__init__.__code__.co_names
    # The server makes each connection by calling what the configuration names, with these names.
    source = inspect.getsource(Server.startup)
    assert "config.http_protocol_class(" in source
    assert {"config=config", "server_state=self.server_state"} <= set(source.replace(",", " ").split())


def test_trusted_hosts():
    trusted = _TrustedHosts("10.0.0.0/8, 192.168.0.1")
    assert ("10.1.2.3" in trusted, "192.168.0.1" in trusted, "192.168.0.2" in trusted) == (True, True, False)
    assert "1.2.3.4" in _TrustedHosts("*")


def test_draining_server():
    # The list is made anew while the server runs, not at its end; each request refers to the one of its time.
    assert ServerState().default_headers == []
    assert "default_headers" not in inspect.getsource(Server.shutdown)
    assert "default_headers=self.server_state.default_headers" in inspect.getsource(HttpToolsProtocol)
    assert parameters(Server.shutdown) == ["self", "sockets"]
    assert parameters(Server.handle_exit) == ["self", "sig", "frame"]
