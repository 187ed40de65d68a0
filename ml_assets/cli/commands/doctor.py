"""Check the instance in DAGSTER_HOME and the environment, and say how to mend what is wrong; exit code 1 when something
is an error.

python -m ml_assets.cli.commands.doctor
"""

import logging
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from ml_assets.core.operations.doctor import environment_checks as operation_rules
from ml_assets.core.operations.doctor.diagnosis import Diagnosis, Severity

COLOURS = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.ERROR: "bold red"}


def main() -> None:
    """Look at everything and print it.

    Raises:
        SystemExit: with status 1, when something is an error.
    """
    # What Dagster and SQLAlchemy log on the way to an error is said once, by the diagnosis.
    logging.disable(logging.WARNING)
    try:
        from ml_assets.defs.environment import SETTINGS
    except ValueError as problem:
        diagnoses = [operation_rules.environment(str(problem))]
    else:
        from ml_assets.cli.doctor_probes import examine

        diagnoses = [operation_rules.environment(None), *examine(SETTINGS)]
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


if __name__ == "__main__":
    main()
