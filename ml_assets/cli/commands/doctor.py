"""The doctor: checks of the instance in DAGSTER_HOME and of the environment, with a remedy for each problem."""

import logging
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from ml_assets.core.operations.doctor import environment_checks as operation_rules
from ml_assets.core.operations.doctor.diagnosis import Diagnosis, Severity
from ml_assets.defs.environment import load_settings

COLOURS = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.ERROR: "bold red"}


def run_doctor() -> None:
    """Run every check and print the diagnoses.

    Raises:
        SystemExit: with status 1, when there is an error.
    """
    # The diagnosis reports an error once; Dagster and SQLAlchemy would log it as well.
    logging.disable(logging.WARNING)
    try:
        settings = load_settings()
    except ValueError as problem:
        diagnoses = [operation_rules.environment(str(problem))]
    else:
        from ml_assets.cli.doctor_probes import examine

        diagnoses = [operation_rules.environment(None), *examine(settings)]
    print_diagnoses(Console(), diagnoses)
    if any(found.severity is Severity.ERROR for found in diagnoses):
        sys.exit(1)


def print_diagnoses(console: Console, diagnoses: Sequence[Diagnosis]) -> None:
    """One line for each thing that was looked at, how to mend it below, and the count of errors and warnings."""
    width = max(len(found.check) for found in diagnoses)
    for found in diagnoses:
        console.print(
            f"[{COLOURS[found.severity]}]{found.severity:7}[/]  {found.check:{width}}  {escape(found.found)}",
            soft_wrap=True,
        )
        if found.remedy:
            console.print(f"{'':7}  {'':{width}}  {escape(f'-> {found.remedy}')}", soft_wrap=True)
    counts = [sum(found.severity is severity for found in diagnoses) for severity in (Severity.ERROR, Severity.WARNING)]
    console.print(f"{counts[0]} errors, {counts[1]} warnings, {len(diagnoses)} checks")
