"""Files of the shipped model are simulated where none have landed, and never in production."""

from datetime import date

import pytest
from rich.console import Console

from ml_assets.cli.demo import simulated_days
from ml_assets.cli.demo.first_files import simulate_if_empty
from ml_assets.cli.demo.landing import write_landing
from ml_assets.cli.demo.simulated_days import read_simulated_spec
from ml_assets.defs.settings import Settings
from ml_assets.resources.storage.landing import Landing


@pytest.mark.parametrize("environment", ["local", "production"])
def test_an_empty_bucket_is_filled_by_the_simulator_but_never_in_production(bucket, environment, tmp_path, monkeypatch):
    uri, s3 = bucket
    monkeypatch.setattr(simulated_days, "DAYS", 1)
    spec, landing = read_simulated_spec(), Landing(uri=uri, s3=s3)
    settings = Settings(environment, uri, str(tmp_path / "lake"), "", "", "", s3)
    simulate_if_empty(spec, landing, settings, Console(quiet=True))
    assert landing.days(spec.source) == ([spec.source.start] if environment == "local" else [])


def test_an_interrupted_simulation_is_repeated(tmp_path, monkeypatch):
    spec, landing = read_simulated_spec(), Landing(uri=str(tmp_path))
    monkeypatch.setattr(simulated_days, "DAYS", 2)
    settings = Settings("local", str(tmp_path), "", "", "", "", {})

    def die(day: date) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_landing(tmp_path, spec.source.start, 2, report=die)
    assert len(landing.days(spec.source)) == 1
    simulate_if_empty(spec, landing, settings, Console(quiet=True))
    assert len(landing.days(spec.source)) == 2
    # What somebody repairs afterwards is not simulated again.
    file = tmp_path / "fraud_detection" / str(spec.source.start) / "transactions.parquet"
    file.write_bytes(b"repaired")
    simulate_if_empty(spec, landing, settings, Console(quiet=True))
    assert file.read_bytes() == b"repaired"
