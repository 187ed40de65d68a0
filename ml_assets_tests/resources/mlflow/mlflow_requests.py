"""What a block asks of MLflow: requests of its client, and statements and commits of an SQLite store."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from mlflow import MlflowClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

REQUESTS = (
    "create_model_version",
    "create_registered_model",
    "get_model_version",
    "get_registered_model",
    "log_batch",
    "search_model_versions",
    "search_registered_models",
)


@contextmanager
def count_mlflow_requests() -> Iterator[Counter[str]]:
    """Count requests by the name of the client's method, and `statements` and `commits` of all stores."""
    counter: Counter[str] = Counter()

    def count_statement(*_: object) -> None:
        counter["statements"] += 1

    def count_commit(*_: object) -> None:
        counter["commits"] += 1

    event.listen(Engine, "before_cursor_execute", count_statement)
    event.listen(Engine, "commit", count_commit)
    try:
        with ExitStack() as stack:
            for name in REQUESTS:
                stack.enter_context(_count_calls(name, counter))
            yield counter
    finally:
        event.remove(Engine, "before_cursor_execute", count_statement)
        event.remove(Engine, "commit", count_commit)


def _count_calls(name: str, counter: Counter[str]):
    request = getattr(MlflowClient, name)

    def count_call(*arguments: object, **named: object) -> object:
        counter[name] += 1
        return request(*arguments, **named)

    return patch.object(MlflowClient, name, count_call)
