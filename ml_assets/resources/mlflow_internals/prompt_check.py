"""A client that does not look up whether a registered model is a prompt.

Reason: before each change of an alias or tag `MlflowClient` reads the registered model with all its versions, only to
refuse prompts, which share the registry. A release changes three or four aliases and tags, and the names here always
belong to models.
Public API that would replace it: a switch of `MlflowClient`, or the check in the store.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient


def skip_prompt_check(client: "MlflowClient") -> None:
    """Make a client change aliases and tags without reading the registered model first."""
    client._raise_if_prompt = lambda name: None
