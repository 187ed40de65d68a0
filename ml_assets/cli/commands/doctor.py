"""The doctor: checks of the instance in DAGSTER_HOME and of the environment, with a remedy for each problem."""

import logging
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from ml_assets.cli.doctor.checks import CHECKS, diagnose
from ml_assets.cli.home import create_home
from ml_assets.cli.json_output.reports import CheckReport, DoctorReport
from ml_assets.cli.verb import publish
from ml_assets.core.counts import count
from ml_assets.core.operations.doctor.diagnosis import Diagnosis, Severity
from ml_assets.core.operations.doctor.environment_checks import environment
from ml_assets.defs.environment import answer_soon, configure_process, load_settings
from ml_assets.resources.observability.redaction import redact_streams

COLOURS = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.ERROR: "bold red"}
WIDTH = max(len(check.name) for check in CHECKS)


def run_doctor() -> None:
    """Run every check and print the diagnoses.

    Raises:
        SystemExit: with status 1, when there is an error.
    """
    # The diagnosis reports an error once; Dagster and SQLAlchemy would log it as well.
    logging.disable(logging.WARNING)
    answer_soon()
    diagnoses, console = [], Console()
    try:
        configure_process()
        redact_streams()
        settings = load_settings()
        if not settings.dagster_home_is_stated and not settings.is_production:
            create_home(settings)
            settings = load_settings()
        for diagnosis in diagnose(settings):
            # At once, because a store that does not answer delays the next one.
            print_diagnosis(console, diagnosis)
            diagnoses.append(diagnosis)
    except ValueError as problem:
        diagnoses.append(environment(str(problem)))
        print_diagnosis(console, diagnoses[-1])
    print_counts(console, diagnoses)
    severities = [diagnosis.severity for diagnosis in diagnoses]
    errors, warnings = severities.count(Severity.ERROR), severities.count(Severity.WARNING)
    checks = [CheckReport(**vars(diagnosis)) for diagnosis in diagnoses]
    publish(DoctorReport(errors=errors, warnings=warnings, checks=checks))
    if errors:
        sys.exit(1)


def print_diagnosis(console: Console, diagnosis: Diagnosis) -> None:
    """Print a line for a check, and the remedy of a problem below it."""
    colour, severity = COLOURS[diagnosis.severity], diagnosis.severity
    console.print(f"[{colour}]{severity:7}[/]  {diagnosis.check:{WIDTH}}  {escape(diagnosis.message)}", soft_wrap=True)
    if diagnosis.remedy:
        console.print(f"{'':7}  {'':{WIDTH}}  {escape(f'-> {diagnosis.remedy}')}", soft_wrap=True)


def print_counts(console: Console, diagnoses: Sequence[Diagnosis]) -> None:
    """Print the number of errors, warnings and checks."""
    summary = []
    for severity in (Severity.ERROR, Severity.WARNING):
        summary.append(count(sum(diagnosis.severity is severity for diagnosis in diagnoses), severity))
    console.print(f"{', '.join(summary)}, {count(len(diagnoses), 'check')}")
