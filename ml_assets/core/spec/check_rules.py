"""Which severities, checks and figures fit the columns and features of a model."""

from typing import TYPE_CHECKING

from ml_assets.core.spec.base import repeated
from ml_assets.core.spec.checks import CONTRACT, contract_check_name

if TYPE_CHECKING:
    from ml_assets.core.spec.model import ModelSpec


def check_checks(spec: "ModelSpec") -> None:
    """See that severities, checks and figures fit the columns and features of their model.

    Raises:
        ValueError: when they do not; names the field.
    """
    for role, names in [
        ("row_key", spec.row_key),
        ("event_time", [spec.event_time]),
        ("target", [spec.target]),
        ("labels.key", spec.labels.key if spec.labels else []),
    ]:
        for name in names:
            if "warn" in spec.columns[name].severity.values():
                raise ValueError(f"columns.{name}.severity: the column is part of {role}, whose rules are always errors")
    features = spec.feature_names()
    for check, known in [("column_drift", list(spec.columns)), ("feature_drift", features)]:
        settings = getattr(spec.checks, check)
        if settings and (unknown := [name for name in settings.leave_out if name not in known]):
            raise ValueError(f"checks.{check}.leave_out: there is no {', '.join(unknown)}; there are {', '.join(known)}")
    if not spec.checks.contract and (blocking := [name for name, column in spec.columns.items() if column.blocking]):
        raise ValueError(f"columns.{blocking[0]}.blocking: checks.contract is false, so the column has no check that could block")
    of_contract = {contract_check_name(name) for name in ("row_key", *spec.columns)}
    for day, names in spec.checks.accepted.items():
        if unknown := [name for name in names if name.startswith(CONTRACT) and name not in of_contract]:
            raise ValueError(f"checks.accepted.{day}: there is no check {', '.join(unknown)}; there are {', '.join(sorted(of_contract))}")
    given = ["row_count", *([f"distinct_{spec.entity}"] if spec.entity else [])]
    if twice := repeated([metric.name for metric in spec.metrics] + given):
        raise ValueError(f"metrics: {', '.join(twice)} is made more than once ({', '.join(given)} are always there)")
    for metric in spec.metrics:
        known = list(dict.fromkeys([*spec.row_identity_columns(), *features]))
        if metric.column is not None and metric.column not in known:
            raise ValueError(f"metrics.{metric.name}: there is no {metric.column} in the features; there are {', '.join(known)}")
        is_text = metric.column in spec.categorical_features() or (
            metric.column in spec.columns and metric.column not in features and spec.columns[metric.column].type in ("string", "timestamp")
        )
        if is_text and metric.aggregate not in ("distinct", "missing_share"):
            raise ValueError(f"metrics.{metric.name}: {metric.column} is not a number; it can be counted by distinct or missing_share")
