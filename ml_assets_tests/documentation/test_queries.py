"""The SQL queries of docs/how-to/queries.md run as they stand there."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from ml_assets.cli.demo.simulated_days import read_simulated_spec
from ml_assets.cli.demo.simulator import simulate_days
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets_tests.pipeline.world import World
from ml_assets_tests.test_repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "queries.md").read_text()
QUERIES = [
    query.strip()
    for block in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    for query in block.split(";")
    if query.strip()
]
DAYS = 3


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory):
    """Open every table of a lake with three days of features."""
    spec = read_simulated_spec()
    world = World(tmp_path_factory.mktemp("world"), spec)
    for day, rows in simulate_days(spec.source.start, DAYS, customers=300, terminals=300):
        world.land_at(f"fraud_detection/{day}/rows.parquet", rows)
    world.run(list(LANDED_TO_FEATURES), spec.source.start, spec.source.start + timedelta(days=DAYS - 1))
    world.stages()
    return {
        path.parent.name: DeltaTable(path.parent).to_pyarrow_dataset()
        for path in Path(world.lake.uri).rglob("_delta_log")
    }


def run_query(query: str, tables):
    import duckdb

    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(query).df()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.splitlines()[0].lstrip("- ")[:60])
def test_every_query_of_the_page_runs(query, tables):
    run_query(query, tables)


def test_the_stored_metrics_equal_those_computed_from_the_features(tables):
    figures = run_query(QUERIES[0], tables).set_index("metric")["value"]
    (computed,) = run_query(QUERIES[1], tables).to_dict("records")
    assert {name: pytest.approx(figures[name]) for name in computed} == computed
    assert computed["row_count"] > 100
