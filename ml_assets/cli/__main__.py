"""`python -m ml_assets.cli`: the command line without its console script."""

from ml_assets.cli.command_group import cli

if __name__ == "__main__":
    cli(prog_name="ml-assets")
