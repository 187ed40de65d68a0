"""Numbers of the versions of a registered model that is created again.

MLflow numbers the versions of a new registered model from 1, but the release ledger and predictions name the versions
of the lost one by their numbers.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow does not read the source of a version that has no files.
NO_FILES = "s3://no-files/placeholder"


def skip_numbers(client: "MlflowClient", name: str, last: int) -> None:
    """Let the next version of a registered model have a number above `last`.

    MLflow never gives the number of a deleted version to another one, so versions are created and deleted.

    Args:
        client: MLflow's client.
        name: name of the registered model.
        last: the last number to skip; its next version has a lower or equal number, or `last` is 0.
    """
    number = 0
    while number < last:
        version = client.create_model_version(name, NO_FILES, description="skipped", await_creation_for=0)
        client.delete_model_version(name, version.version)
        number = int(version.version)
