"""Verbs that serve scores over HTTP: serve, kserve."""

import click

from ml_assets.cli.limit_options import limit_options, limits_of
from ml_assets.cli.verb import Verb
from ml_assets.cli.verbs.parameters import host_option, model_argument, port_option


@click.command(cls=Verb, examples=["serve", "serve fraud_detection --port 8080", "serve --host 0.0.0.0"])
@model_argument
@host_option
@port_option(8000)
@limit_options
def serve(model: str | None, host: str, port: int, **limits: float) -> None:
    """Serve the scores of a model over HTTP."""
    from ml_assets.cli.commands.serve import serve_model

    serve_model(model, host, port, limits_of(limits))


@click.command(cls=Verb, examples=["kserve", "kserve fraud_detection --champion", "kserve --json"], report="Manifest")
@model_argument
@click.option("--champion", is_flag=True, help="The champion, even while a canary is live.")
@click.option(
    "--service-account", metavar="NAME", help="The account whose secret gives access to the bucket of the artifacts."
)
@click.option(
    "--artifacts",
    metavar="URI",
    help="Where MLflow's server stores the artifacts that it proxies, such as s3://ml-assets/mlflow.",
)
def kserve(model: str | None, champion: bool, service_account: str | None, artifacts: str | None) -> None:
    """Print the KServe manifest of the live version."""
    from ml_assets.cli.commands.kserve import print_manifest

    print_manifest(model, champion, service_account, artifacts)
