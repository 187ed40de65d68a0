"""The first files of the shipped model: simulated when a command finds none, so that the main job needs no data."""

from datetime import UTC, date, datetime

from rich.console import Console

from ml_assets.cli.project import current_project
from ml_assets.core.model_spec import ModelSpec
from ml_assets.defs.settings import Settings
from ml_assets.resources.storage.landing import Landing

SIMULATED_MODEL = "fraud_detection"


def is_demo(spec: ModelSpec, settings: Settings) -> bool:
    """Return whether a model is the shipped one, in its own project and not in production."""
    return spec.name == SIMULATED_MODEL and not settings.is_production and current_project().is_own


def has_files(spec: ModelSpec, landing: Landing) -> bool:
    """Return whether files of a model have landed.

    Raises:
        LandingUnavailable: when the landing cannot be listed.
    """
    return landing.missing_root() is None and bool(landing.days(spec.source))


def print_newer_days(landing: Landing, last: date, console: Console) -> None:
    """Print how to simulate newer days, if the last simulated day is older than the week before today."""
    from ml_assets.cli.demo.simulated_days import newer_days

    if text := newer_days(landing.uri, last, datetime.now(UTC).date(), landing.s3):
        console.print(text, soft_wrap=True)


def simulate_if_empty(spec: ModelSpec, landing: Landing, settings: Settings, console: Console) -> None:
    """Simulate the files of the shipped model if none have landed, or if an earlier simulation was interrupted."""
    if not is_demo(spec, settings):
        return
    from ml_assets.cli.demo.simulated_days import DAYS, was_interrupted

    reason = f"Nothing has landed under {settings.landing}"
    if has_files(spec, landing):
        if not was_interrupted(settings.landing, settings.s3):
            return
        reason = f"A simulation under {settings.landing} was interrupted"
    from ml_assets.cli.demo.landing import write_landing

    console.print(f"{reason}: simulating {DAYS} days of card transactions", soft_wrap=True)
    rows = write_landing(settings.landing, spec.source.start, DAYS, s3=settings.s3)
    console.print(f"{rows:,} transactions have landed")
