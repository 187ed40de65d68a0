"""Which severities, checks and figures fit the columns and features of a model."""

from collections.abc import Mapping, Sequence

from ml_assets.core.model_spec.checks import CONTRACT, Checks, Metric, contract_check_name
from ml_assets.core.model_spec.source import Column
from ml_assets.core.model_spec.types.base import repeated


def check_severities(columns: Mapping[str, Column], roles: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Check that no rule of a key, the event time or the target is merely a warning.

    Args:
        columns: the contract of a row, by column name.
        roles: field of the specification, and the columns that it names.

    Raises:
        ValueError: names the column and its role.
    """
    for role, names in roles:
        for name in names:
            if "warn" in columns[name].severity.values():
                raise ValueError(
                    f"columns.{name}.severity: the column is part of {role}, whose rules are always errors"
                )


def check_checks(checks: Checks, columns: Mapping[str, Column], features: Sequence[str]) -> None:
    """Check that the settings of checks name columns, features and checks that exist.

    Args:
        checks: the checks of a model.
        columns: the contract of a row, by column name.
        features: names of the feature columns.

    Raises:
        ValueError: names the field, and the names that exist.
    """
    for check, known in [("column_drift", list(columns)), ("feature_drift", features)]:
        settings = getattr(checks, check)
        if settings and (unknown := [name for name in settings.leave_out if name not in known]):
            raise ValueError(
                f"checks.{check}.leave_out: there is no {', '.join(unknown)}; there are {', '.join(known)}"
            )
    if not checks.contract and (blocking := [name for name, column in columns.items() if column.blocking]):
        raise ValueError(
            f"columns.{blocking[0]}.blocking: checks.contract is false, so the column has no check that could block"
        )
    of_contract = {contract_check_name(name) for name in ("row_key", *columns)}
    for day, names in checks.accepted.items():
        if unknown := [name for name in names if name.startswith(CONTRACT) and name not in of_contract]:
            raise ValueError(
                f"checks.accepted.{day}: there is no check {', '.join(unknown)}; there are {', '.join(sorted(of_contract))}"
            )


def check_metrics(
    metrics: Sequence[Metric],
    columns: Mapping[str, Column],
    features: Sequence[str],
    categorical: Sequence[str],
    identity: Sequence[str],
    entity: str | None,
) -> None:
    """Check that the figures of a day's features have names of their own and aggregate what they can.

    Args:
        metrics: the figures.
        columns: the contract of a row, by column name.
        features: names of the feature columns.
        categorical: those of them that hold categories.
        identity: the columns that rows of features carry beside them.
        entity: the column of what is acted upon, if there is one.

    Raises:
        ValueError: names the figure and the reason.
    """
    given = ["row_count", *([f"distinct_{entity}"] if entity else [])]
    if twice := repeated([metric.name for metric in metrics] + given):
        raise ValueError(f"metrics: {', '.join(twice)} is made more than once ({', '.join(given)} are always there)")
    for metric in metrics:
        known = list(dict.fromkeys([*identity, *features]))
        if metric.column is not None and metric.column not in known:
            raise ValueError(
                f"metrics.{metric.name}: there is no {metric.column} in the features; there are {', '.join(known)}"
            )
        is_text = metric.column in categorical or (
            metric.column in columns
            and metric.column not in features
            and columns[metric.column].type in ("string", "timestamp")
        )
        if is_text and metric.aggregate not in ("distinct", "missing_share"):
            raise ValueError(
                f"metrics.{metric.name}: {metric.column} is not a number; it can be counted by distinct or missing_share"
            )
