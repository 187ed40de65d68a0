"""Verbs about the machine: notifications, doctor, instance, and the removal of local state."""

import click

from ml_assets.cli.verb import Verb
from ml_assets.cli.verbs.parameters import host_option, port_option


class VerbGroup(Verb, click.Group):
    """A verb with subcommands."""

    command_class = Verb


@click.group(
    cls=VerbGroup,
    invoke_without_command=True,
    examples=["notifications", "notifications --json", "notifications test"],
    report="NotificationsReport",
)
@click.pass_context
def notifications(context: click.Context) -> None:
    """Print the notifications of all models, open ones first."""
    from ml_assets.cli.commands.notifications import list_notifications

    if context.invoked_subcommand is None:
        list_notifications()


@notifications.command(cls=Verb, examples=["notifications test"], report="TestMessageReport")
def test() -> None:
    """Send a message to every target of ML_ASSETS_NOTIFY, and print whether it was accepted."""
    from ml_assets.cli.commands.notifications import send_test_message

    send_test_message()


@click.command(cls=Verb, examples=["doctor", "doctor --json", "doctor --scrub"], report="DoctorReport")
@click.option("--scrub", is_flag=True, help="Read every file of lake, deploy target and MLflow; print damaged ones.")
def doctor(scrub: bool) -> None:
    """Check the instance in DAGSTER_HOME and the environment, and print a remedy for each problem."""
    if scrub:
        from ml_assets.cli.commands.scrub import scrub_everything

        scrub_everything()
        return
    from ml_assets.cli.commands.doctor import run_doctor

    run_doctor()


@click.command(cls=Verb, examples=["instance", "instance --json"], report="InstanceReport")
def instance() -> None:
    """Create DAGSTER_HOME with the settings of ml_assets, and print how dagster.yaml differs from them."""
    from ml_assets.cli.commands.instance import show_instance

    show_instance()


@click.command(cls=Verb, examples=["ui", "ui --port 3001"])
@host_option
@port_option(3000)
def ui(host: str, port: int) -> None:
    """Start Dagster's webserver and daemon on the project (`dg dev`), with the instance of the other verbs."""
    from ml_assets.cli.commands.ui import start_dagster

    start_dagster(host, port)


@click.command(cls=Verb, examples=["mlflow", "mlflow --port 5001"])
@host_option
@port_option(5000)
def mlflow(host: str, port: int) -> None:
    """Start MLflow's UI on the experiments and models of the pipeline; print the address of a server."""
    from ml_assets.cli.commands.ui import start_mlflow

    start_mlflow(host, port)


@click.command(cls=Verb, examples=["clean", "clean --yes"])
@click.option("--yes", is_flag=True, help="Do not ask, even if landed files are removed that cannot be recreated.")
def clean(yes: bool) -> None:
    """Remove the project's folder `data`: landing, lake, registry and Dagster's instance.

    Asks before landed files are removed that were not simulated.
    """
    from ml_assets.cli.commands.clean import remove_data

    remove_data(yes)
