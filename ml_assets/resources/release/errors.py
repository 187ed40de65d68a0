"""Errors of releases: a release that could not be carried out, and a ledger that lacks releases."""


class NotCarriedOut(Exception):
    """A release is valid and in the ledger, but MLflow or the deploy target could not be synchronized. The next call of
    `Releases.state` synchronizes them.
    """


class LedgerLost(Exception):
    """MLflow carried out releases that the ledger does not have. The message says what to do; nothing was changed."""
