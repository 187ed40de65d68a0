"""Who can read a path on this machine, by the modes of the path and of the folders above it."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

READ = {"group": stat.S_IRGRP, "others": stat.S_IROTH}
ENTER = {"group": stat.S_IXGRP, "others": stat.S_IXOTH}


def find_readers(paths: Iterable[Path]) -> dict[str, str]:
    """Return who besides the owner can read each path: `group`, `others` or `group and others`. Paths that nobody else
    can read are left out, and so are paths that do not exist or that belong to another user, because only the owner can
    restrict access (the volume of a pod belongs to root).

    A file can be read by users who have permission to read it and to enter every folder above it. A folder counts as
    readable when it can be listed or entered. Access control lists are not considered.
    """
    readers: dict[str, str] = {}
    if not hasattr(os, "geteuid"):
        # Windows uses a different permission model.
        return readers
    for path in paths:
        try:
            real = path.resolve()
            status = real.stat()
        except OSError:
            continue
        if status.st_uid == os.geteuid() and (classes := [name for name in READ if _can_read(real, status, name)]):
            readers[str(path)] = " and ".join(classes)
    return readers


def _can_read(path: Path, status: os.stat_result, reader: str) -> bool:
    wanted = READ[reader] | (ENTER[reader] if stat.S_ISDIR(status.st_mode) else 0)
    # A member of the group may enter a parent folder through its group or, if the folder has another group, as others.
    enter = ENTER[reader] | ENTER["others"]
    return bool(status.st_mode & wanted) and all(parent.stat().st_mode & enter for parent in path.parents)
