"""Decisions of the stage deployment, which releases by hand take into account."""

from datetime import date

from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table_files import newest_day

DEPLOYMENT = "deployment"


def newest_decided_day(lake: Lake, model: str) -> date | None:
    """Return the newest day for which the stage deployment made a decision."""
    return newest_day(*lake.location(model, DEPLOYMENT)) if lake.exists(model, DEPLOYMENT) else None


def champion_after(lake: Lake, model: str, decided: date) -> int | None:
    """Return the number of the version that was the champion after the decision of a day; None without one."""
    from ml_assets.core.tables.release_schemas import DEPLOYMENT_SCHEMA

    rows = lake.table(model, DEPLOYMENT, DEPLOYMENT_SCHEMA).read([decided], ["champion_version"])
    return rows["champion_version"].to_pylist()[0] if rows.num_rows else None
