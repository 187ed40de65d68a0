"""The error of an MLflow that cannot be used."""


class MlflowUnavailable(ConnectionError):
    """The MLflow store cannot be reached or opened; the message names it and says what to do. Trying again later may
    help.
    """
