"""The error of an MLflow store that cannot be used."""


class MlflowUnavailable(ConnectionError):
    """The MLflow store cannot be reached or opened. The message names it and says what to do; a later attempt may
    succeed.
    """
