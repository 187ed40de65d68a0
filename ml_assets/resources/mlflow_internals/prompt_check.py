"""A client that does not look up whether a registered model is a prompt.

Reason: before each change of an alias or tag `MlflowClient` reads the registered model with all its versions, only to
refuse prompts, which share the registry. A release changes three or four, and the names are those of models here.
Public API that would replace it: a switch of `MlflowClient`, or the check in the store.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient


def skip_prompt_check(client: "MlflowClient") -> None:
    """Let a client change aliases and tags without a look at the registered model before."""
    client._raise_if_prompt = lambda name: None
