import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.resources.databases.uri_secrets import hide, reveal, scrub, without_credentials, without_password


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("postgresql://user:secret@host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://user:sec/r@et@host/db?options=-csearch_path%3Dmlflow", "postgresql://host/db"),
        ("postgresql://host/db?user=me&password=secret", "postgresql://host/db"),
        ("http://user:secret@mlflow:5000", "http://mlflow:5000"),
        ("http://mlflow:5000", "http://mlflow:5000"),
        ("sqlite:////data/me@here/mlflow.db", "sqlite:////data/me@here/mlflow.db"),
    ],
)
def test_a_uri_is_shown_without_user_password_and_parameters(uri, expected):
    assert without_credentials(uri) == expected
    assert "secret" not in hide(uri)
    assert reveal(hide(uri)) == uri


def test_a_uri_without_a_user_is_not_hidden():
    for uri in (
        "http://mlflow:5000",
        "sqlite:////data/me@here/mlflow.db?timeout=5",
        "postgresql://host/db?sslmode=require",
    ):
        assert hide(uri) == uri


@given(st.text("abc@:/?#%=&", min_size=1).map(lambda inner: f"x{inner}x"))
def test_no_password_is_ever_shown(password):
    uri = f"postgresql://user:{password}@host/db"
    assert password not in without_credentials(uri)
    assert without_password(uri) == "postgresql://user@host/db"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (
            "postgresql://me:secret@host/db?options=-csearch_path%3Dx",
            "postgresql://me@host/db?options=-csearch_path%3Dx",
        ),
        ("postgresql://host/db?user=me&password=secret", "postgresql://host/db?user=me"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("sqlite:////data/me@here/mlflow.db", "sqlite:////data/me@here/mlflow.db"),
    ],
)
def test_a_uri_in_a_command_has_user_and_parameters_but_no_password(uri, expected):
    assert without_password(uri) == expected


def test_passwords_are_removed_from_messages_of_other_libraries():
    uri = "postgresql://user:p%40ss@host/db"
    assert scrub("connect to p%40ss or p@ss failed", uri, None, "sqlite:///x") == "connect to *** or *** failed"
    assert scrub("nothing to hide", "postgresql://user@host/db") == "nothing to hide"
