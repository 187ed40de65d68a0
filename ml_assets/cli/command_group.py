"""The command group `ml-assets`: its verbs with their arguments and options.

Each verb imports its own command when it is called, so that `--help` and shell completion load neither Dagster nor
pandas.
"""

from importlib.util import find_spec

import click

from ml_assets.cli.faults import ReportingGroup
from ml_assets.cli.verb import project_option
from ml_assets.cli.verbs import operations, pipeline, release, repository, service

OF_A_PROJECT = (
    pipeline.run,
    pipeline.plan,
    pipeline.repair,
    pipeline.quarantine,
    release.releases,
    release.restore,
    release.rollback,
    release.pause,
    release.resume,
    release.canary,
    release.promote,
    service.serve,
    service.kserve,
    operations.notifications,
    operations.doctor,
    operations.instance,
    operations.ui,
    operations.mlflow,
    operations.clean,
)
OF_THE_REPOSITORY = (repository.audit, repository.docs, repository.bench, repository.simulate)

EPILOG = """\
Each verb has examples: `ml-assets VERB --help`. Exit codes: 0 in order, 1 not in order, 2 usage, 130 and 143
interrupted (docs/reference/cli.md). Completion of verbs and options, here for bash:
`eval "$(_ML_ASSETS_COMPLETE=bash_source ml-assets)"`.
"""


@click.group(
    cls=ReportingGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog=EPILOG,
)
@click.version_option(package_name="ml_assets", prog_name="ml-assets")
def cli() -> None:
    """Turn daily files into a validated, evaluated and registered model."""


cli.params.append(project_option())
for verb in OF_A_PROJECT:
    cli.add_command(verb)
# The wheel does not contain the demonstration.
if find_spec("ml_assets.cli.demo") is not None:
    for verb in OF_THE_REPOSITORY:
        cli.add_command(verb)
