"""Options of `ml-assets serve` for the limits of requests and connections."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from ml_assets.service.limits import Limits

MAX_SECONDS = 86_400.0
MAX_FUTURE_SECONDS = 10 * 366 * 86_400.0


class LimitOption(NamedTuple):
    """An option: its name, the field of `Limits` or, after a dot, of its `RequestLimits`, default, largest value, and
    help.
    """

    name: str
    field: str
    default: float
    maximum: float
    help: str


# The defaults are those of `Limits`, stated again because importing them would slow every command down.
OPTIONS = (
    LimitOption("--max-body-bytes", "body_bytes", 1_000_000, 1e9, "Size of the largest request."),
    LimitOption("--max-earlier-rows", "request.earlier_rows", 1_000, 1e6, "Rows in `earlier_rows` of a request."),
    LimitOption(
        "--max-fields", "request.fields", 100, 1e5, "Fields of a row; never fewer than the columns of the model."
    ),
    LimitOption("--max-depth", "request.depth", 20, 500, "Depth of nested lists and objects."),
    LimitOption("--max-characters", "request.characters", 10_000, 1e9, "Length of one value."),
    LimitOption("--max-faults", "request.faults", 10, 100, "Violations that an answer lists."),
    LimitOption(
        "--max-large-requests",
        "large_requests",
        128,
        1e4,
        "Concurrent requests over 8 kB; a client may have a quarter.",
    ),
    LimitOption("--max-connections", "connections", 1_000, 1e6, "Open connections."),
    LimitOption("--max-connections-per-client", "connections_per_client", 250, 1e6, "Open connections of one address."),
    LimitOption("--head-seconds", "head_seconds", 5.0, MAX_SECONDS, "Seconds for the head of a request."),
    LimitOption("--body-seconds", "body_seconds", 10.0, MAX_SECONDS, "Seconds for the body of a request."),
    LimitOption(
        "--future-seconds",
        "future_seconds",
        86_400.0,
        MAX_FUTURE_SECONDS,
        "Seconds that the time of a row may be ahead of the clock.",
    ),
    LimitOption(
        "--registry-seconds", "registry_seconds", 1.0, MAX_SECONDS, "Seconds between two polls of the registry."
    ),
    LimitOption("--history-seconds", "history_seconds", 10.0, MAX_SECONDS, "Seconds between two polls of the lake."),
)


def limit_options(command: Callable) -> Callable:
    """Add the options of limits to a command, which gets their values by the names of `limits_of`."""
    for option in reversed(OPTIONS):
        is_whole = isinstance(option.default, int)
        kind = (
            click.IntRange(1, int(option.maximum))
            if is_whole
            else click.FloatRange(0, option.maximum, min_open=option.field != "future_seconds")
        )
        add = click.option(option.name, type=kind, default=option.default, show_default=True, help=option.help)
        command = add(command)
    return command


def limits_of(values: Mapping[str, float]) -> "Limits":
    """Return the limits that the options state.

    Args:
        values: value of each option by its name as click passes it, such as `max_body_bytes`.
    """
    from ml_assets.core.serving.request_limits import RequestLimits
    from ml_assets.service.limits import Limits

    of_service: dict[str, float] = {}
    of_request: dict[str, float] = {}
    for option in OPTIONS:
        value = values[option.name.removeprefix("--").replace("-", "_")]
        first, _, second = option.field.partition(".")
        if second:
            of_request[second] = value
        else:
            of_service[first] = value
    return Limits(request=RequestLimits(**of_request), **of_service)  # type: ignore[arg-type]
