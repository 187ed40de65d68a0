"""The benchmarks of the repository, in a separate process."""

import subprocess
import sys
from collections.abc import Sequence

from ml_assets.defs.settings import REPOSITORY


def run_benchmarks(arguments: Sequence[str] = ()) -> None:
    """Run `python -m benchmarks` in the repository.

    Args:
        arguments: the arguments of that command.

    Raises:
        SystemExit: with its exit code.
    """
    sys.exit(
        subprocess.run([sys.executable, "-W", "ignore", "-m", "benchmarks", *arguments], cwd=REPOSITORY).returncode
    )
