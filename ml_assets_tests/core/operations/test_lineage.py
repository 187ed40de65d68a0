"""Datasets have the names that OpenLineage's rules give them."""

import pytest

from ml_assets.core.operations.lineage import DatasetName, name_dataset, uri_of


@pytest.mark.parametrize(
    ("uri", "namespace", "name"),
    [
        ("s3://lake/prefix/fraud/features", "s3://lake", "prefix/fraud/features"),
        ("s3://lake", "s3://lake", "/"),
        ("s3://user:password@lake/x", "s3://lake", "x"),
        ("/data/lake/fraud/features", "file", "/data/lake/fraud/features"),
        ("file:///data/lake", "file", "/data/lake"),
    ],
)
def test_a_dataset_is_named_by_its_place_without_credentials(uri, namespace, name):
    assert name_dataset(uri) == DatasetName(namespace, name)


@pytest.mark.parametrize(
    ("place", "uri"),
    [
        ("s3://user:password@lake/a b/{day}", "s3://lake/a%20b/%7Bday%7D"),
        ("/data/a b", "file:///data/a%20b"),
        ("file:///data/lake", "file:///data/lake"),
    ],
)
def test_a_place_has_a_valid_uri_without_credentials(place, uri):
    assert uri_of(place) == uri
