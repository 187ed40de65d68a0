"""The process that reads large requests, so that the interpreter of the service is free for small ones."""

import asyncio
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.serving.request import RequestReader, ScoreRequest
from ml_assets.core.serving.request_limits import RequestLimits
from ml_assets.service.responses import RequestRejected

NICENESS = 5
"""Niceness of the process, which yields to others where processors are scarce."""


class ReaderProcess:
    """Reads request bodies one after the other in a separate process, which starts with the first body.

    A thread would compete with the event loop for the interpreter, and so delay every small request.
    """

    def __init__(self, spec: ModelSpec, limits: RequestLimits) -> None:
        self._arguments = spec, limits
        self._pool: ProcessPoolExecutor | None = None

    async def read(self, body: bytes) -> ScoreRequest:
        """Read the request from a body, like `RequestReader.read`.

        Raises:
            InvalidRequest: when the request breaks the contract.
            RequestRejected: with 503, when the process ended, for example out of memory; the next request starts a new
                one.
        """
        if self._pool is None:
            # A forked process would inherit locks held by threads that do not exist in it.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, context, _start, self._arguments)
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _read, body)
        except BrokenProcessPool:
            if self._pool is pool:
                self._pool = None
            raise RequestRejected(
                503, "the process that reads large requests ended; retry later", {"Retry-After": "2"}
            ) from None

    def stop(self) -> None:
        """End the process after its current request."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _start(spec: ModelSpec, limits: RequestLimits) -> None:
    global _reader
    # Ctrl-C reaches every process of the terminal, but the service ends this one itself after the requests in progress.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    _reader = RequestReader(spec, limits)


def _read(body: bytes) -> ScoreRequest:
    return _reader.read(body)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


_reader: RequestReader
