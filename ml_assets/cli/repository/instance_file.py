"""dagster-postgres.yaml, derived from dagster.yaml: the same instance with its storage in PostgreSQL."""

INTRODUCTION = """\
# Generated from dagster.yaml by `make docs`: do not edit. The same instance with its storage in PostgreSQL. `ml-assets`
# links this file into DAGSTER_HOME when ML_ASSETS_DATABASE is set; the output of steps is stored beside the link.
"""

STORAGE = """\
# Runs, events, schedules and pools. The password is in the variable, or in a password file that PGPASSFILE names.
storage:
  custom:
    module: ml_assets.resources.dagster_instance.postgresql_storage
    class: PostgresqlStorage
    config:
      postgres_url:
        env: ML_ASSETS_DATABASE
"""


def derive_postgresql_instance(local_instance: str) -> str:
    """Replace the introduction and the storage in the text of dagster.yaml.

    Dagster merges no instance files, so the second file repeats the first; deriving it keeps one source.

    Args:
        local_instance: content of dagster.yaml: an introductory comment, then parts separated by empty lines.

    Raises:
        ValueError: when there is not exactly one part with the setting `event_log_storage`.
    """
    introduction, *parts = local_instance.rstrip("\n").split("\n\n")
    storages = [part for part in parts if "event_log_storage:" in part.splitlines()]
    if len(storages) != 1:
        raise ValueError("dagster.yaml needs one part with event_log_storage, separated from the others by empty lines")
    settings = [line for line in introduction.splitlines() if not line.startswith("#")]
    replaced = [STORAGE.rstrip("\n") if part is storages[0] else part for part in parts]
    return "\n\n".join([INTRODUCTION + "\n".join(settings), *replaced]) + "\n"
