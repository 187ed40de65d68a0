"""The extras of this package, and the error that names an extra that is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

EXTRAS = {
    "aws": ("botocore", "boto3", "dagster_aws"),
    "dask": ("dask", "dask_kubernetes", "distributed"),
    "k8s": ("dagster_k8s", "kubernetes"),
    "lineage": ("openlineage",),
    "metrics": ("opentelemetry",),
    "notify": ("apprise",),
    "polars": ("polars",),
    "postgres": ("dagster_postgres", "psycopg2"),
    "search": ("optuna",),
    "serve": ("httptools", "prometheus_client", "starlette", "uvicorn", "uvloop"),
}
"""The modules that each extra brings."""


class MissingExtra(ImportError):
    """Something needs an extra of ml_assets that is not installed. The message has the command that installs it."""


@contextmanager
def needs_extra(extra: str, purpose: str) -> Iterator[None]:
    """Turn the failed import of a module of an extra into an error that names the extra.

    Args:
        extra: the extra, one of EXTRAS.
        purpose: what needs it, as the subject of a sentence: `a lake on S3`.

    Raises:
        MissingExtra: when a module of the extra is missing; other import errors are not changed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRAS[extra]:
            raise
        raise MissingExtra(
            f"{purpose} needs the package {error.name}, which is not installed. Install ml_assets with its extra: "
            f"pip install 'ml_assets[{extra}]'",
            name=error.name,
        ) from error
