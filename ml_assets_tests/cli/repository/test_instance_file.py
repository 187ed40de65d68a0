"""The instance on PostgreSQL is derived from the local one; test_instance_parity compares both files."""

import pytest
import yaml

from ml_assets.cli.repository.instance_file import derive_postgresql_instance

LOCAL = """\
# The local instance.
telemetry:
  enabled: false

# SQLite files.
event_log_storage:
  class: Local

# A reason.
nux:
  enabled: false
"""


def test_only_the_introduction_and_the_storage_are_replaced():
    derived = derive_postgresql_instance(LOCAL)
    settings = yaml.safe_load(derived)
    assert settings.pop("storage")["custom"]["config"] == {"postgres_url": {"env": "ML_ASSETS_DATABASE"}}
    assert settings == {"telemetry": {"enabled": False}, "nux": {"enabled": False}}
    assert "# The local instance." not in derived
    assert "# A reason.\nnux:" in derived


def test_an_instance_without_a_storage_to_replace_is_refused():
    with pytest.raises(ValueError, match="needs one part with event_log_storage"):
        derive_postgresql_instance(LOCAL.replace("event_log_storage", "storage"))
