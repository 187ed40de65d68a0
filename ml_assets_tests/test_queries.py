"""The questions in SQL of docs/queries.md are asked as they stand there."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from ml_assets.cli.command_inputs import require_spec
from ml_assets.cli.simulator import simulate_days
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets_tests.pipeline.world import World
from ml_assets_tests.test_repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "queries.md").read_text()
QUESTIONS = [
    question.strip()
    for block in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    for question in block.split(";")
    if question.strip()
]
DAYS = 3


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory):
    """Every table of a lake with three days of features."""
    spec = require_spec("fraud_detection")
    world = World(tmp_path_factory.mktemp("world"), spec)
    for day, rows in simulate_days(spec.source.start, DAYS, customers=300, terminals=300):
        world.land_at(f"fraud_detection/{day}/rows.parquet", rows)
    world.run(list(LANDED_TO_FEATURES), spec.source.start, spec.source.start + timedelta(days=DAYS - 1))
    world.stages()
    return {
        path.parent.name: DeltaTable(path.parent).to_pyarrow_dataset()
        for path in Path(world.lake.uri).rglob("_delta_log")
    }


def answer(question: str, tables):
    import duckdb

    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(question).df()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.splitlines()[0].lstrip("- ")[:60])
def test_every_question_of_the_page_can_be_asked(question, tables):
    answer(question, tables)


def test_the_figures_are_those_of_the_features(tables):
    figures = answer(QUESTIONS[0], tables).set_index("metric")["value"]
    (computed,) = answer(QUESTIONS[1], tables).to_dict("records")
    assert {name: pytest.approx(figures[name]) for name in computed} == computed
    assert computed["row_count"] > 100
