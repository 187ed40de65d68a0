from urllib.parse import parse_qs, urlsplit

import pytest

from ml_assets.resources.postgresql import is_postgresql, store_beside_dagster, with_driver


@pytest.mark.parametrize("uri", ["postgresql://me@host/db", "postgres://me@host/db", "postgresql+psycopg2://me@host/db"])
def test_a_uri_as_people_write_it_gets_the_driver_that_dagster_needs(uri):
    assert is_postgresql(uri)
    assert with_driver(uri) == "postgresql+psycopg2://me@host/db"


@pytest.mark.parametrize("uri", ["http://mlflow", "sqlite:///mlflow.db", "postgresql+asyncpg://host/db", "mysql://host/db"])
def test_any_other_uri_stays_as_it_is(uri):
    assert not is_postgresql(uri)
    assert with_driver(uri) == uri


def test_mlflow_gets_a_schema_of_its_own_and_keeps_what_the_uri_says():
    beside = urlsplit(store_beside_dagster("postgresql://me:p%40ss@host:5433/db?sslmode=require"))
    assert (beside.scheme, beside.netloc, beside.path) == ("postgresql", "me:p%40ss@host:5433", "/db")
    assert parse_qs(beside.query) == {"sslmode": ["require"], "options": ["-csearch_path=mlflow"]}


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("mysql://me:secret@host/db", "not the URI of a PostgreSQL database"),
        ("postgresql://me:secret@host/db?options=-cx%3D1", "set MLFLOW_TRACKING_URI as well"),
    ],
)
def test_what_is_no_database_or_has_options_is_refused_without_its_password(uri, said):
    with pytest.raises(ValueError, match=said) as caught:
        store_beside_dagster(uri)
    assert "secret" not in str(caught.value)
