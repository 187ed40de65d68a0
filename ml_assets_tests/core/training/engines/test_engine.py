"""The specification chooses the engine, and every engine logs a missing GPU."""

import pytest

from ml_assets.core.training.batches import LabelledDays
from ml_assets.core.training.engines import engine as engines
from ml_assets.core.training.engines.local import LocalEngine
from ml_assets_tests.core.training import test_train as cases


@pytest.mark.parametrize("engine", ["memory", "external_memory"])
def test_local_engines_train_on_the_chosen_device(monkeypatch, engine):
    monkeypatch.setattr(engines, "choose_device", lambda wanted, log: "cuda" if wanted else "cpu")
    spec = cases._spec(engine=engine)
    for gpus, device in [(0, "cpu"), (1, "cuda")]:
        wanting = spec.model_copy(update={"compute": spec.compute.model_copy(update={"gpu": gpus})})
        with engines.open_engine(wanting, LabelledDays(wanting, cases._day), lambda line: None) as opened:
            assert isinstance(opened, LocalEngine)
            assert opened.device == device


@pytest.mark.parametrize("engine", ["memory", "external_memory"])
def test_a_missing_gpu_is_logged_and_the_model_is_that_of_the_cpu(monkeypatch, engine):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    lines = []
    spec = cases._spec(engine=engine)
    wanting = spec.model_copy(update={"compute": spec.compute.model_copy(update={"gpu": 1})})
    model = cases.train(wanting, cases.SPLIT, cases._day, lines.append)
    if model.device == "cuda":
        pytest.skip("this process already uses a CUDA device")
    assert any("warning: compute.gpu is 1, but no CUDA device is usable here" in line for line in lines)
    assert model.metrics == cases.train(spec, cases.SPLIT, cases._day, lines.append).metrics
