"""External memory trains the model of the engine memory, and leaves no file behind."""

import tempfile
from pathlib import Path

import pytest
import xgboost as xgb

from ml_assets.core.training import batches
from ml_assets.core.training.engines import local
from ml_assets.core.training.train import train
from ml_assets_tests.core.training import test_train as cases

METRICS_WITHIN = 1e-3
"""By how much a metric of the validation part differs at most between engines: another order of summation, and cuts of
bins.
"""


def _train(**changes):
    return train(cases._spec(**changes), cases.SPLIT, cases._day, lambda line: None)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("batch_rows", [250_000, 130], ids=["one page", "three pages"])
def test_external_memory_gives_the_metrics_of_memory(temporary, batch_rows):
    memory, external = _train(batch_rows=batch_rows), _train(batch_rows=batch_rows, engine="external_memory")
    assert external.rounds == memory.rounds
    assert external.metrics == pytest.approx(memory.metrics, abs=METRICS_WITHIN)
    assert external.preprocessing == memory.preprocessing
    assert _train(batch_rows=batch_rows, engine="external_memory").digest == external.digest


def test_external_memory_is_in_files_while_it_trains_which_are_gone_afterwards(temporary, monkeypatch):
    recorded, plain = [], local.training_callback

    def watched(*arguments):
        recorded.extend(path.stat().st_size for path in temporary.rglob("*") if path.is_file())
        return plain(*arguments)

    monkeypatch.setattr(local, "training_callback", watched)
    _train(engine="external_memory", batch_rows=130)
    assert sum(recorded) > 480 * 4
    assert list(Path(temporary).iterdir()) == []


def test_files_are_gone_when_training_fails(temporary, monkeypatch):
    def fail(*_):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(local, "training_callback", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        _train(engine="external_memory")
    assert list(temporary.iterdir()) == []


def test_memory_makes_no_file(temporary):
    _train()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("parameters", "restarts"), [({}, False), ({"subsample": 0.5}, True), ({"colsample_bytree": 0.5}, True)]
)
def test_xgboost_restarts_at_checkpoints_where_its_state_is_more_than_its_trees(parameters, restarts):
    spec = cases._spec(parameters=parameters)
    assert local.LocalEngine(spec, "cpu", None).restarts == restarts
    assert local.LocalEngine(spec, "cuda", None).restarts


@pytest.mark.parametrize(("refit", "quantized"), [(False, 1), (True, 2)])
def test_a_model_converts_each_day_once_and_builds_one_matrix_a_part(monkeypatch, refit, quantized):
    conversions, matrices = [], []

    def count(kind):
        class Counted(kind):
            def __init__(self, *arguments, **settings):
                matrices.append(kind.__name__)
                super().__init__(*arguments, **settings)

        return Counted

    plain = batches.to_matrix
    monkeypatch.setattr(batches, "to_matrix", lambda *arguments: conversions.append(1) or plain(*arguments))
    for kind in (xgb.DMatrix, xgb.QuantileDMatrix):
        monkeypatch.setattr(xgb, kind.__name__, count(kind))
    _train(refit=refit, preprocessing={})
    assert sorted(matrices) == ["DMatrix"] + ["QuantileDMatrix"] * quantized
    assert len(conversions) == len(cases.SPLIT.window)


def test_a_validation_part_of_several_batches_is_quantized_and_gives_the_same_curve():
    whole, batched = _train(), _train(batch_rows=100)
    assert batched.learning_curve["aucpr"] == pytest.approx(whole.learning_curve["aucpr"], abs=METRICS_WITHIN)
    assert batched.learning_curve.keys() == whole.learning_curve.keys() == {"logloss", "aucpr"}


@pytest.mark.parametrize(("rows", "cpu", "threads"), [(1_000, 8, 1), (200_000, 8, 5), (200_000, 2, 2)])
def test_a_thread_has_enough_values(make_spec, rows, cpu, threads):
    spec = make_spec(compute={"cpu": cpu})
    days = batches.LabelledDays(spec, cases._day)
    days.rows.update(dict.fromkeys(cases.SPLIT.fit, rows // len(cases.SPLIT.fit)))
    preprocessing = {"features": [{"name": str(number), "kind": "number"} for number in range(6)]}
    assert local.LocalEngine(spec, "cpu", days)._threads(preprocessing, cases.SPLIT.fit) == threads
