"""Boosting stops as XGBoost's own early stopping does, and resumes as if it had not been interrupted."""

from contextlib import contextmanager

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given
from hypothesis import strategies as st
from xgboost.callback import EarlyStopping

from ml_assets.core.training.boosting import (
    Boosted,
    NoCheckpoints,
    Phase,
    best_position,
    boost,
    is_out_of_patience,
    join_curves,
    to_bytes,
    training_callback,
)
from ml_assets.core.training.train import train
from ml_assets_tests.core.training import test_train as cases

SAMPLED = {"subsample": 0.7, "colsample_bytree": 0.7}


class Kept:
    """Checkpoints in a dictionary, which may stop training like a kill: nothing after the save happens."""

    def __init__(self, die_at: int | None = None):
        self.found: dict[str, Boosted] = {}
        self.saved: list[tuple[str, int]] = []
        self._die_at = die_at

    def load(self, slot):
        return self.found.get(slot)

    def save(self, slot, boosted):
        self.found[slot] = boosted
        self.saved.append((slot, boosted.rounds))
        if len(self.saved) == self._die_at:
            raise InterruptedError(slot)


def _spec(checkpoint_rounds=4, **changes):
    return cases._spec(checkpoint_rounds=checkpoint_rounds, rounds=22, early_stopping_rounds=6, **changes)


def _train(spec, checkpoints=None, lines=None):
    return train(spec, cases.SPLIT, cases._day, (lines if lines is not None else []).append, checkpoints=checkpoints)


@pytest.mark.parametrize("parameters", [pytest.param({}, marks=pytest.mark.slow), SAMPLED], ids=["all rows", "samples"])
def test_training_that_is_interrupted_at_any_checkpoint_gives_the_same_bytes(parameters):
    spec = _spec(parameters=parameters)
    kept = Kept()
    whole = _train(spec, kept)
    phases = [slot for slot, _ in kept.saved]
    assert phases.count("early_stopping_cpu") > 2
    assert phases.count("refit_cpu") > 2
    for moment in range(1, len(kept.saved) + 1):
        interrupted = Kept(die_at=moment)
        with pytest.raises(InterruptedError):
            _train(spec, interrupted)
        at = {**interrupted.found}
        lines = []
        again = _train(spec, interrupted, lines)
        assert (again.digest, again.learning_curve, again.metrics) == (
            whole.digest,
            whole.learning_curve,
            whole.metrics,
        )
        logged = [line for line in lines if "an earlier run was interrupted" in line]
        assert [line.split(";")[1] for line in logged] == [
            f" resuming after round {at[slot].rounds} of at most {22 if slot.startswith('early') else whole.rounds}"
            for slot in sorted(at)
        ]


def test_without_samples_the_model_does_not_depend_on_the_number_of_checkpoints():
    assert len({_train(_spec(checkpoint_rounds=rounds), Kept()).digest for rounds in (1, 5, 500)}) == 1


def test_short_training_writes_no_checkpoint():
    kept = Kept()
    _train(_spec(checkpoint_rounds=50), kept)
    assert kept.saved == []


def test_parts_of_a_training_with_samples_do_not_draw_the_same_samples():
    """Each part of one round would make the same choice of features again, were its seed the same."""
    parameters = {"colsample_bytree": 0.25, "subsample": 1.0}
    model = _train(_spec(checkpoint_rounds=1, refit=False, parameters=parameters), Kept())
    trees = xgb.Booster(model_file=bytearray(model.model)).trees_to_dataframe()
    assert trees[trees["Feature"] != "Leaf"].groupby("Tree")["Feature"].first().nunique() > 1


def test_no_data_are_prepared_when_a_checkpoint_has_all_rounds():
    @contextmanager
    def never():
        raise AssertionError
        yield

    kept = Kept()
    kept.found["refit_cpu"] = Boosted(5, {}, b"booster")
    phase = Phase("refit", "cpu", {"seed": 1}, 5, None, 10, 4, False)
    assert boost(phase, never, kept, lambda progress: None, lambda line: None).model == b"booster"


def test_another_device_does_not_resume_from_the_checkpoint():
    assert (
        Phase("refit", "cpu", {}, 5, None, 10, 4, False).slot != Phase("refit", "cuda", {}, 5, None, 10, 4, False).slot
    )


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=1, max_size=12), st.integers(1, 5))
def test_the_rule_is_that_of_xgboosts_early_stopping(values, patience):
    class Model:
        attributes = {}

        def set_attr(self, **given):
            self.attributes.update(given)

        def num_boosted_rounds(self):
            return 0

    stop, model = EarlyStopping(rounds=patience), Model()
    for done in range(1, len(values) + 1):
        stopped = stop.after_iteration(model, done - 1, {"validation": {"logloss": values[:done]}})
        assert stopped == is_out_of_patience(values[:done], patience)
        assert int(model.attributes["best_iteration"]) == best_position(values[:done])
        if stopped:
            return


def test_training_stops_where_xgboosts_early_stopping_stops():
    random = np.random.default_rng(0)
    rows = random.random((300, 4))
    matrix = xgb.DMatrix(rows, rows[:, 0] + random.random(300) > 1)
    other = xgb.DMatrix(rows, random.random(300) > 0.5)
    parameters = {"objective": "binary:logistic", "eval_metric": ["logloss"], "nthread": 1, "seed": 1}
    result = {}
    expected = xgb.train(
        parameters,
        matrix,
        50,
        [(other, "validation")],
        evals_result=result,
        callbacks=[EarlyStopping(3)],
        verbose_eval=False,
    )

    @contextmanager
    def data():
        def train_segment(segment, on_round):
            curve = {}
            follower = training_callback(segment, on_round, {})
            booster = xgb.train(
                segment.parameters,
                matrix,
                segment.rounds,
                [(other, "validation")],
                evals_result=curve,
                callbacks=[follower],
                verbose_eval=False,
            )
            return to_bytes(booster), curve["validation"]

        yield train_segment

    phase = Phase("early_stopping", "cpu", parameters, 50, 3, 300, 50, False)
    boosted = boost(phase, data, NoCheckpoints(), lambda progress: None, lambda line: None)
    assert boosted.rounds == expected.num_boosted_rounds() < 50
    assert boosted.curve == {"logloss": result["validation"]["logloss"]}
    assert best_position(boosted.curve["logloss"]) == expected.best_iteration


def test_curves_are_joined_by_name():
    assert join_curves({"a": [1.0]}, {"a": [2.0]}) == {"a": [1.0, 2.0]}
    assert join_curves(None, {"a": [2.0]}) == {"a": [2.0]}
    assert join_curves({"a": [1.0]}, {}) == {"a": [1.0]}
