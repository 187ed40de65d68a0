"""Rules between severities, checks and metrics and the columns and features of a model."""

from collections.abc import Mapping, Sequence

from ml_assets.core.model_spec.checks.check import CONTRACT, Check, contract_check_name
from ml_assets.core.model_spec.checks.checks import Checks
from ml_assets.core.model_spec.rules.renamed_checks import rename_checks
from ml_assets.core.model_spec.source import Column
from ml_assets.core.model_spec.types.base import repeated
from ml_assets.core.model_spec.types.feature_metric import ROW_COUNT_METRIC, Metric


def complete_checks(model: object, attributes: Mapping) -> Mapping:
    """Return the attributes of `checks` under their current names. A check without a severity gets its default
    severity, or error if it blocks.
    """
    attributes = rename_checks(model, attributes)
    defaults = {name: field.default for name, field in Checks.model_fields.items() if isinstance(field.default, Check)}
    completed = {
        name: {"severity": defaults[name].severity, **settings}
        for name, settings in attributes.items()
        if name in defaults and isinstance(settings, Mapping) and not settings.get("blocking")
    }
    return {**attributes, **completed}


def check_severities(columns: Mapping[str, Column], roles: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Check that no rule of a key, the event time or the target has the severity warn.

    Args:
        columns: the contract of a row, by column name.
        roles: fields of the specification, each with the columns that it names.

    Raises:
        ValueError: names the column and its role.
    """
    for role, names in roles:
        for name in names:
            if "warn" in columns[name].severity.values():
                raise ValueError(
                    f"columns.{name}.severity: the column is part of {role}, whose rules are always errors"
                )


def check_checks(
    checks: Checks, columns: Mapping[str, Column], features: Sequence[str], triggers: Sequence[str] = ()
) -> None:
    """Check that the settings of checks name existing columns, features and checks, and that a check that triggers
    training is enabled.

    Args:
        checks: the checks of a model.
        columns: the contract of a row, by column name.
        features: names of the feature columns.
        triggers: `training.when`.

    Raises:
        ValueError: names the field and the existing names.
    """
    if "drift" in triggers and checks.feature_drift is None:
        raise ValueError("training.when: drift needs checks.feature_drift, which is null")
    for check, known in [
        ("column_drift", list(columns)),
        ("feature_drift", features),
        ("served_feature_drift", features),
    ]:
        settings = getattr(checks, check)
        if settings and (unknown := [name for name in settings.leave_out if name not in known]):
            raise ValueError(
                f"checks.{check}.leave_out: there is no {', '.join(unknown)}; choose from {', '.join(known)}"
            )
    if not checks.contract and (blocking := [name for name, column in columns.items() if column.blocking]):
        raise ValueError(
            f"columns.{blocking[0]}.blocking: checks.contract is false, so the column has no check that could block"
        )
    contract_checks = {contract_check_name(name) for name in ("row_key", *columns)}
    for day, names in checks.accepted.items():
        if unknown := [name for name in names if name.startswith(CONTRACT) and name not in contract_checks]:
            raise ValueError(
                f"checks.accepted.{day}: there is no check {', '.join(unknown)}; the contract checks are "
                f"{', '.join(sorted(contract_checks))}"
            )


def check_metrics(
    metrics: Sequence[Metric],
    columns: Mapping[str, Column],
    features: Sequence[str],
    categorical: Sequence[str],
    identity: Sequence[str],
    entity: str | None,
) -> None:
    """Check that the metrics of a day's features have distinct names and fit the types of their columns.

    Args:
        metrics: the metrics of the specification.
        columns: the contract of a row, by column name.
        features: names of the feature columns.
        categorical: names of the feature columns that hold categories.
        identity: the other columns of the table of features.
        entity: the column of the entity, if there is one.

    Raises:
        ValueError: names the metric and the reason.
    """
    built_in = [ROW_COUNT_METRIC, *([f"distinct_{entity}"] if entity else [])]
    if twice := repeated(name.lower() for name in [*(metric.name for metric in metrics), *built_in]):
        raise ValueError(
            f"metrics: defined more than once: {', '.join(twice)} (case is ignored); "
            f"{', '.join(built_in)} are always measured"
        )
    for metric in metrics:
        known = list(dict.fromkeys([*identity, *features]))
        if metric.column is not None and metric.column not in known:
            raise ValueError(
                f"metrics.{metric.name}: the features have no {metric.column}; choose from {', '.join(known)}"
            )
        is_text = metric.column in categorical or (
            metric.column in columns
            and metric.column not in features
            and columns[metric.column].type in ("string", "timestamp")
        )
        if is_text and metric.aggregate not in ("distinct", "missing_share"):
            raise ValueError(
                f"metrics.{metric.name}: {metric.column} is not a number; its aggregates are distinct and missing_share"
            )
