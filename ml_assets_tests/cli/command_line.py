"""The command line as tests call it, in their own process."""

from ml_assets.cli.command_group import cli


def call(*arguments: str) -> None:
    """Run a verb; what it raises, SystemExit included, reaches the test."""
    cli.main(list(arguments), prog_name="ml-assets", standalone_mode=False)
