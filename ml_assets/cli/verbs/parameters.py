"""Arguments and options that several verbs share."""

import click


def _require_days(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    if text is not None:
        from ml_assets.core.tables.day_ranges import parse_days

        try:
            parse_days(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return text


def _require_version(ctx: click.Context, _: click.Parameter, number: int | None) -> int | None:
    if number is None:
        raise click.UsageError(f"{ctx.info_name} needs --version NUMBER; `ml-assets mlflow` shows the versions")
    return number


model_argument = click.argument("model", required=False)
days_option = click.option(
    "--days",
    metavar="FIRST...LAST",
    callback=_require_days,
    help="A range such as 2026-10-01...2026-10-14, or one day; all days by default.",
)
version_option = click.option(
    "--version", type=int, metavar="NUMBER", callback=_require_version, help="The version in the model registry."
)
reason_option = click.option("--reason", metavar="TEXT", help="The reason, for readers of the release ledger.")
actor_option = click.option(
    "--actor", metavar="NAME", help="The person who makes the release; user and host by default."
)
host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all."
)


def port_option(default: int):
    """Make the option `--port`."""
    return click.option("--port", type=click.IntRange(0, 65535), default=default, show_default=True)
