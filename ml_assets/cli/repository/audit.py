"""Known vulnerabilities of the pinned dependencies, from pip-audit."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_assets.cli.json_output.reports import AuditReport
from ml_assets.cli.verb import publish
from ml_assets.defs.settings import REPOSITORY

SECONDS = 600
UNREACHABLE = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|NameResolution|ServiceError|Could not connect"
    r"|no answer in"
)


@dataclass(frozen=True)
class Audit:
    """Result of pip-audit.

    vulnerable: a line for each vulnerability. unknown: the dependencies that are not in the advisory database.
    dependencies: how many were looked up. failure: the reason when there is no result at all.
    """

    vulnerable: Sequence[str] = ()
    unknown: Sequence[str] = ()
    dependencies: int = 0
    failure: str | None = None

    @property
    def is_unreachable(self) -> bool:
        """Return whether the advisory database was not reached: pip-audit reports a mirror without advisories as one
        that knows none of the dependencies.
        """
        return UNREACHABLE.search(self.failure) is not None if self.failure else len(self.unknown) == self.dependencies


def audit(constraints: Path) -> Audit:
    """Look up every pin of a file. The pins are complete, so nothing is resolved or installed."""
    arguments = [
        "--requirement",
        str(constraints),
        "--no-deps",
        "--disable-pip",
        "--format",
        "json",
        "--progress-spinner",
        "off",
        "--timeout",
        "15",
    ]
    try:
        process = subprocess.run(
            [sys.executable, "-m", "pip_audit", *arguments], capture_output=True, text=True, timeout=SECONDS
        )
        return read_dependencies(json.loads(process.stdout)["dependencies"])
    except subprocess.TimeoutExpired:
        return Audit(failure=f"no answer in {SECONDS} s")
    except (ValueError, KeyError):
        return Audit(failure=(process.stderr.strip().splitlines() or ["pip-audit printed nothing"])[-1])


def read_dependencies(dependencies: Sequence[dict]) -> Audit:
    """Read the list of dependencies in pip-audit's JSON."""
    vulnerable = [
        f"{dependency['name']} {dependency['version']}: {vulnerability['id']}{_fixed(vulnerability['fix_versions'])}"
        for dependency in dependencies
        for vulnerability in dependency.get("vulns", ())
    ]
    unknown = [dependency["name"] for dependency in dependencies if "skip_reason" in dependency]
    return Audit(vulnerable, unknown, len(dependencies))


def _fixed(versions: Sequence[str]) -> str:
    return f", fixed in {', '.join(versions)}" if versions else ", not fixed in any version"


def report(result: Audit, constraints: Path) -> tuple[str, int]:
    """Write the report of an audit.

    Returns:
        The text, and the exit status: 1 for a vulnerability, a dependency that could not be looked up although others
            could, or an audit that failed although the database can be reached; else 0.
    """
    pins = [line for line in constraints.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    if result.is_unreachable:
        reason = result.failure or "it knows none of the dependencies"
        summary = (
            f"NOT AUDITED: the advisory database cannot be reached ({reason}). "
            f"Above are the {len(pins)} pins that are installed."
        )
        return "\n".join([*pins, summary]), 0
    if result.failure:
        return f"the audit failed: {result.failure}", 1
    lines = [
        *result.vulnerable,
        *(f"{name}: not in the advisory database, check it by hand" for name in result.unknown),
    ]
    summary = (
        f"{result.dependencies} dependencies: {len(result.vulnerable)} vulnerabilities, "
        f"{len(result.unknown)} not looked up"
    )
    return "\n".join([*lines, summary]), int(bool(lines))


def audit_pins(constraints: Path | None = None) -> None:
    """Audit the pins of a file, by default constraints.txt of the repository, and print the report.

    Raises:
        SystemExit: with the status of `report`.
    """
    constraints = constraints or REPOSITORY / "constraints.txt"
    if not constraints.exists():
        sys.exit(f"{constraints} does not exist: name a file of pins, such as the output of `pip freeze`")
    result = audit(constraints)
    text, status = report(result, constraints)
    print(text)
    publish(
        AuditReport(
            dependencies=result.dependencies,
            vulnerable=list(result.vulnerable),
            unknown=list(result.unknown),
            is_reachable=not result.is_unreachable,
            failure=result.failure,
        )
    )
    sys.exit(status)
