"""The class of the verbs of `ml-assets`: examples in their help, `--project`, and `--json` where a verb reports."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pydantic import BaseModel

JSON_STREAM = "ml_assets.json"
PRINTED = "ml_assets.json.printed"
EXIT_CODES = {
    0: "Success: the command did its work, and everything that it checked is in order.",
    1: "Something is wrong: a gate or check failed, a run failed, something is damaged or cannot be reached, or the "
    "request is refused, such as one for a model, a day or a version that does not exist. The message says which.",
    2: "Usage: an unknown verb or option, a value that is not valid, no project. Nothing was done.",
    130: "Interrupted by Ctrl-C (SIGINT), except `serve`, `ui` and `mlflow`, which end with 0. The message says what "
    "is kept and how to go on.",
    143: "Ended by SIGTERM, with the same message and the same exceptions.",
}


class Verb(click.Command):
    """A command with the options that all verbs share.

    Args:
        examples: command lines without `ml-assets`, for the help; a test parses each of them.
        report: name of the class in `reports` that `--json` prints; None for a verb that reports nothing.
        arguments: the arguments of click's Command.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), report: str | None = None, **arguments: Any):
        super().__init__(*args, **arguments)
        self.examples = tuple(examples)
        self.report = report
        if report is not None:
            self.params.append(json_option())
        self.params.append(project_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            click.UsageError: when an option that has one value is given more than once; click takes the last one.
        """
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        options = [param for param in order if isinstance(param, click.Option)]
        single = [option for option in options if not (option.multiple or option.is_flag or option.count)]
        if repeated := next((option for option in single if single.count(option) > 1), None):
            raise click.UsageError(f"{repeated.opts[0]} is given more than once", ctx)
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, one command a line."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{' ' * formatter.current_indent}ml-assets {example}\n")
        super().format_epilog(ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb. With `--json`, standard output gets one JSON document, and what people read goes to standard
        error.

        Raises:
            SystemExit: as the verb does; with `--json`, a message is also printed as `{"error": ..., "exit_code": 1}`.
        """
        from ml_assets.defs.environment import read_dotenv

        read_dotenv()
        with redirect_stdout(sys.stderr) if JSON_STREAM in ctx.meta else nullcontext():
            return super().invoke(ctx)


def json_option() -> click.Option:
    """Build the option `--json`."""

    def remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.meta[JSON_STREAM] = sys.stdout

    return click.Option(
        ["--json"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=remember,
        help="Print the figures as JSON, and the text to standard error.",
    )


def project_option() -> click.Option:
    """Build the option `--project`, which every verb and `ml-assets` itself have."""

    def select(_: click.Context, __: click.Parameter, value: str | None) -> None:
        if value is not None:
            from ml_assets.cli.project import select_project

            select_project(value)

    return click.Option(
        ["--project"],
        metavar="FOLDER",
        expose_value=False,
        is_eager=True,
        callback=select,
        help="A Dagster project; by default that of the current folder or the nearest one above.",
    )


def wants_json() -> bool:
    """Return whether the verb that runs was called with `--json`."""
    ctx = click.get_current_context(silent=True)
    return ctx is not None and JSON_STREAM in ctx.meta


def publish(report: "BaseModel") -> None:
    """Print the report of the running verb, without the secrets of this process, if it was called with `--json`."""
    if wants_json():
        print_json(report.model_dump(mode="json"))


def print_json(document: Any) -> None:
    """Print the JSON document of the running verb; a verb prints at most one, so a later call has no effect."""
    import json

    from ml_assets.resources.observability.redaction import redact_values

    meta = click.get_current_context().meta
    if (stream := meta.get(JSON_STREAM)) is not None and not meta.get(PRINTED):
        meta[PRINTED] = True
        print(json.dumps(redact_values(document), indent=1, default=str), file=stream, flush=True)


def publish_failure(error: SystemExit) -> None:
    """Print the message and the exit code of a verb that ended, if it was called with `--json` and printed nothing."""
    if wants_json() and error.code:
        is_message = isinstance(error.code, str)
        message = error.code if is_message else " ".join(getattr(error, "__notes__", []))
        print_json({"error": message, "exit_code": 1 if is_message else error.code})
