"""Rules for the permissions of local state."""

import shlex
from collections.abc import Mapping

from ml_assets.core.operations.doctor.diagnosis import Diagnosis, ok, warning


def permissions(readers: Mapping[str, str], shares_with_group: bool) -> Diagnosis:
    """Check that nobody else on this machine can read Dagster's home, the lake, MLflow's store and the deploy target:
    they contain values of rows.

    Args:
        readers: the other readers of each exposed path: `group`, `others` or `group and others`.
        shares_with_group: whether ML_ASSETS_UMASK lets the group read new files.
    """
    exposed = {path: who for path, who in readers.items() if not (shares_with_group and who == "group")}
    if not exposed:
        return ok("permissions", "only this user and its group" if shares_with_group else "only this user")
    message = "; ".join(f"{path} can be read by {who}" for path, who in exposed.items())
    paths = " ".join(shlex.quote(path) for path in exposed)
    if shares_with_group:
        return warning("permissions", message, f"run `chmod -R o= {paths}`")
    remedy = f"run `chmod -R go= {paths}`, or share with the group (ML_ASSETS_UMASK, docs/how-to/permissions.md)"
    return warning("permissions", message, remedy)
