"""Known vulnerabilities of the dependencies that are pinned, by pip-audit.

python -m ml_assets.cli.commands.audit [constraints.txt]
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_assets.defs.environment import REPOSITORY

SECONDS = 600
UNREACHABLE = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|NameResolution|ServiceError|Could not connect|no answer in"
)


@dataclass(frozen=True)
class Audit:
    """What pip-audit found.

    vulnerable: a line for each vulnerability. unknown: the dependencies that the advisory database knows nothing of.
    asked: how many there are. failure: why there is no answer at all.
    """

    vulnerable: Sequence[str] = ()
    unknown: Sequence[str] = ()
    asked: int = 0
    failure: str | None = None

    @property
    def is_unreachable(self) -> bool:
        """Whether no answer says anything: pip-audit counts a mirror that has no advisories as one that has nothing
        against any dependency.
        """
        return UNREACHABLE.search(self.failure) is not None if self.failure else len(self.unknown) == self.asked


def audit(constraints: Path) -> Audit:
    """Ask about every pin of a file. The pins are complete, so nothing is resolved or installed."""
    asked = [
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
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", *asked], capture_output=True, text=True, timeout=SECONDS
        )
        return read_answer(json.loads(done.stdout)["dependencies"])
    except subprocess.TimeoutExpired:
        return Audit(failure=f"no answer in {SECONDS} s")
    except (ValueError, KeyError):
        return Audit(failure=(done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1])


def read_answer(dependencies: Sequence[dict]) -> Audit:
    """What pip-audit's JSON says of the dependencies."""
    vulnerable = [
        f"{one['name']} {one['version']}: {found['id']}{_mended(found['fix_versions'])}"
        for one in dependencies
        for found in one.get("vulns", ())
    ]
    unknown = [one["name"] for one in dependencies if "skip_reason" in one]
    return Audit(vulnerable, unknown, len(dependencies))


def _mended(versions: Sequence[str]) -> str:
    return f", mended in {', '.join(versions)}" if versions else ", not mended in any version"


def report(found: Audit, constraints: Path) -> tuple[str, int]:
    """What is printed, and the exit status: 1 for a vulnerability, a dependency that could not be looked up among
    others that could, or an audit that did not work for another reason than that the database cannot be reached.
    """
    pins = [line for line in constraints.read_text().splitlines() if line and not line.startswith("#")]
    if found.is_unreachable:
        why = found.failure or "it knows none of the dependencies"
        return "\n".join(
            [
                *pins,
                f"NOT AUDITED: the advisory database cannot be reached ({why}). Above are the {len(pins)} pins that are installed.",
            ]
        ), 0
    if found.failure:
        return f"the audit did not work: {found.failure}", 1
    lines = [*found.vulnerable, *(f"{name}: not in the advisory database, look yourself" for name in found.unknown)]
    return "\n".join(
        [
            *lines,
            f"{found.asked} dependencies: {len(found.vulnerable)} vulnerabilities, {len(found.unknown)} not looked up",
        ]
    ), int(bool(lines))


def main(constraints: Path) -> None:
    """Audit and print.

    Raises:
        SystemExit: with 0 where nothing is known against any dependency, or nothing could be asked; else 1.
    """
    text, status = report(audit(constraints), constraints)
    print(text)
    sys.exit(status)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "constraints.txt")
