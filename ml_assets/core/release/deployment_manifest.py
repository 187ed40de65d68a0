"""The manifest of the champion's model for a deployment target, from the rows of the release ledger."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ml_assets.core.release.release_state import CHAMPION

# The files that metadata.json names remain readable for this long after another model becomes the champion.
TIME_TO_READ = timedelta(hours=1)


def champion_row(rows: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the row that made the current champion the champion; None if there is none.

    Args:
        rows: rows of a ledger with LEDGER_ROWS_SCHEMA, in the order of their releases.
    """
    moved = _moves_of_champion(rows)
    return moved[-1] if moved and moved[-1]["to_digest"] is not None else None


def metadata(
    model: str, row: Mapping[str, Any], files: Mapping[str, bytes], registry_url: str | None
) -> dict[str, Any]:
    """Build the content of metadata.json.

    Args:
        model: name of the model.
        row: the row of the champion, see `champion_row`.
        files: content of each file by its name; preprocessing.json has the threshold or, for a model without decisions,
            its task and columns.
        registry_url: URL of the version's page in the registry, if it has one.
    """
    return {
        "model": model,
        "version": row["to_version"],
        "model_digest": row["to_digest"],
        "day": row["to_day"].isoformat(),
        **_decisions(json.loads(files["preprocessing.json"])),
        "release": row["release"],
        "released_at": row["at"].isoformat(),
        "released_by": row["actor"],
        "action": row["action"],
        "reason": row["reason"],
        "metrics": json.loads(row["metrics"]),
        "registry": {"uri": f"models:/{model}/{row['to_version']}", **({"url": registry_url} if registry_url else {})},
        "files": {
            name: {"path": f"{row['to_digest']}/{name}", "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        },
    }


def _decisions(preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the threshold; for a model without decisions None, the task, and the predicted columns, classes or
    quantiles.
    """
    names = ("task", "predictions", "classes", "quantiles")
    return {
        "threshold": preprocessing.get("threshold"),
        **{name: preprocessing[name] for name in names if name in preprocessing},
    }


def champions_to_keep(rows: Iterable[Mapping[str, Any]], now: datetime) -> set[str]:
    """Return the digests of the models whose files are kept: the champion, the previous champion, and every model that
    was the champion within `TIME_TO_READ`.

    Args:
        rows: rows of a ledger with LEDGER_ROWS_SCHEMA, in the order of their releases.
        now: the current time, with a time zone.
    """
    moved = _moves_of_champion(rows)
    last = [moved[-1][part] for part in ("from_digest", "to_digest")] if moved else []
    recent = [row["from_digest"] for row in moved if row["at"] >= now - TIME_TO_READ]
    return {digest for digest in [*last, *recent] if digest is not None}


def _moves_of_champion(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["alias"] == CHAMPION and row["from_digest"] != row["to_digest"]]
