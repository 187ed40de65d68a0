"""The error of an MLflow store that cannot be used. Which errors are retried is in
`core/operations/failures/error_signatures.py`.
"""

from ml_assets.core.operations.failures.damaged_state import DamagedState
from ml_assets.resources.databases.sqlite_file import RefusedFile


class MlflowUnavailable(ConnectionError):
    """The MLflow store cannot be reached or opened. The message names it and says what to do; a later attempt may
    succeed.
    """


class DamagedStore(MlflowUnavailable, DamagedState):
    """The SQLite file of an MLflow store is damaged."""


class RefusedStore(MlflowUnavailable, RefusedFile):
    """The SQLite file of an MLflow store may not be read by this user."""


class OutdatedStore(MlflowUnavailable, DamagedState):
    """The tables of an MLflow store have another revision than the installed version needs; no retry helps."""


class NoResponse(MlflowUnavailable):
    """An MLflow server did not respond.

    reason: the text of the first cause, without user and password.
    """

    def __init__(self, store: str, reason: str):
        super().__init__(
            f"MLflow does not answer at {store} ({reason}). Check that the server runs and that this address is "
            "correct."
        )
        self.reason = reason
