"""The machine and the versions that figures belong to."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("dagster", "mlflow", "deltalake", "pandas", "pyarrow", "xgboost")


def describe_machine() -> dict[str, str]:
    """Return processor, cores, memory, system, load, date, and the versions of Python and the main packages."""
    return {
        "processor": _from_file("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load": f"{os.getloadavg()[0]:.1f} at the start",
        "date": datetime.now(UTC).date().isoformat(),
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in PACKAGES)]
        ),
    }


def _from_file(path: str, key: str) -> str:
    if not Path(path).exists():
        return ""
    lines = (line.split(":", 1) for line in Path(path).read_text(encoding="utf-8").splitlines() if ":" in line)
    return next((value.strip() for name, value in lines if name.strip() == key), "")
