import socket
from urllib.parse import parse_qs, urlsplit

import pytest

from ml_assets.core.operations.failures.classification import Failure, classify
from ml_assets.resources.databases.postgresql_uri import TIMEOUTS, is_postgresql, store_beside_dagster, with_driver


@pytest.mark.parametrize(
    "uri", ["postgresql://me@host/db", "postgres://me@host/db", "postgresql+psycopg2://me@host/db"]
)
def test_a_common_form_of_a_uri_gets_the_driver_that_dagster_needs(uri):
    assert is_postgresql(uri)
    base, _, limits = with_driver(uri).partition("?")
    assert base == "postgresql+psycopg2://me@host/db"
    assert parse_qs(limits) == {name: [value] for name, value in TIMEOUTS.items()}


def test_timeouts_in_the_uri_are_kept():
    with_timeouts = with_driver("postgresql://me@host/db?connect_timeout=3&options=-csearch_path%3Dmlflow")
    assert parse_qs(urlsplit(with_timeouts).query) == {
        **{name: [value] for name, value in TIMEOUTS.items()},
        "connect_timeout": ["3"],
        "options": ["-csearch_path=mlflow"],
    }
    assert with_driver(with_timeouts) == with_timeouts


def test_a_server_that_never_answers_is_given_up(monkeypatch):
    import psycopg2
    import sqlalchemy

    monkeypatch.setitem(TIMEOUTS, "connect_timeout", "2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = sqlalchemy.create_engine(with_driver(f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/db"))
        with pytest.raises(sqlalchemy.exc.OperationalError) as caught:
            engine.connect()
    assert isinstance(caught.value.orig, psycopg2.OperationalError)
    assert classify(caught.value) is Failure.TRANSIENT


@pytest.mark.parametrize(
    "uri", ["http://mlflow", "sqlite:///mlflow.db", "postgresql+asyncpg://host/db", "mysql://host/db"]
)
def test_any_other_uri_is_unchanged(uri):
    assert not is_postgresql(uri)
    assert with_driver(uri) == uri


def test_mlflow_gets_a_schema_of_its_own_and_the_parameters_of_the_uri():
    beside = urlsplit(store_beside_dagster("postgresql://me:p%40ss@host:5433/db?sslmode=require"))
    assert (beside.scheme, beside.netloc, beside.path) == ("postgresql", "me:p%40ss@host:5433", "/db")
    assert parse_qs(beside.query) == {"sslmode": ["require"], "options": ["-csearch_path=mlflow"]}


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("mysql://me:secret@host/db", "not the URI of a PostgreSQL database"),
        ("postgresql://me:secret@host/db?options=-cx%3D1", "set MLFLOW_TRACKING_URI as well"),
    ],
)
def test_a_uri_that_is_no_database_or_has_options_is_refused_without_its_password(uri, message):
    with pytest.raises(ValueError, match=message) as caught:
        store_beside_dagster(uri)
    assert "secret" not in str(caught.value)
