"""A search reads no day after a fold's validation days, is repeatable, resumes, and keeps to its budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.training.hyperparameter_search import STARTUP_TRIALS, folds_of, means_of, search
from ml_assets.core.training.overrides import with_training
from ml_assets.core.training.row_counts import TrainingDataError
from ml_assets.core.training.time_split import Split
from ml_assets.core.training.train import train
from ml_assets_tests.core.training.search_cases import search_spec, window_of
from ml_assets_tests.core.training.test_train import _none, reader

SPEC = search_spec()


def run(spec=SPEC, completed=None, kept=None, changed=None, **more):
    kept = [] if kept is None else kept
    return search(spec, window_of(spec), reader(changed)[0], completed or {}, kept.append, lambda line: None, **more)


@pytest.fixture(scope="module")
def result():
    return run()


def plain(trials):
    """Trials without their times."""
    return [(trial.number, trial.parameters, trial.folds, trial.value, trial.pruned) for trial in trials]


@given(st.integers(5, 12), st.integers(1, 4), st.sampled_from(["expanding", "rolling"]))
def test_the_fit_days_of_a_fold_end_right_before_its_validation_days(days, count, fit):
    spec = search_spec(f"{days}d", folds=count, fit=fit)
    window = window_of(spec)
    folds = folds_of(spec, window)
    assert len(folds) == count
    assert [day for fold in folds for day in fold.validation] == window[-count:]
    for fold in folds:
        assert fold.fit == window[window.index(fold.fit[0]) : window.index(fold.validation[0])]
    assert (
        {fold.fit[0] for fold in folds} == {window[0]}
        if fit == "expanding"
        else len({len(fold.fit) for fold in folds}) == 1
    )


def test_the_first_trial_uses_the_specified_parameters_and_the_best_is_no_worse(result):
    stated = SPEC.training.parameters
    assert result.trials[0].parameters == {
        "eta": stated.eta,
        "max_depth": stated.max_depth,
        "subsample": stated.subsample,
    }
    assert (
        result.best.value == max(trial.value for trial in result.trials if not trial.pruned) >= result.trials[0].value
    )
    assert (result.stopped_by, len(result.trials)) == ("trials", 8)


def test_proposals_are_in_the_search_space_and_differ(result):
    proposed = [trial.parameters for trial in result.trials[1:]]
    assert all(
        0.05 <= parameters["eta"] <= 0.5
        and parameters["max_depth"] in range(1, 7)
        and parameters["subsample"] in (0.5, 1)
        for parameters in proposed
    )
    assert all(isinstance(parameters["max_depth"], int) for parameters in proposed)
    assert len({parameters["eta"] for parameters in proposed}) == 7


def test_the_value_of_a_trial_is_the_mean_metric_of_its_folds(result):
    trial = next(trial for trial in result.trials[1:] if not trial.pruned)
    spec = with_training(SPEC, {**trial.parameters, "refit": False, "search": None})
    values = [
        train(spec, Split(fold.fit, fold.validation, []), reader()[0]).metrics["average_precision"]
        for fold in folds_of(SPEC, window_of(SPEC))
    ]
    assert [fold["average_precision"] for fold in trial.folds] == values
    assert trial.value == sum(values) / 2


@pytest.mark.parametrize("cut", [1, STARTUP_TRIALS, 7])
def test_a_resumed_search_equals_an_uninterrupted_one(result, cut):
    kept = []
    again = run(completed={trial.number: trial for trial in result.trials[:cut]}, kept=kept)
    assert [trial.number for trial in kept] == list(range(cut, 8))
    assert plain(again.trials) == plain(result.trials)
    assert again.best.parameters == result.best.parameters


def test_more_trials_continue_from_completed_ones(result):
    more = run(search_spec(trials=10), completed={trial.number: trial for trial in result.trials})
    assert plain(more.trials[:8]) == plain(result.trials)
    assert len(more.trials) == 10


def test_another_seed_proposes_other_parameters(result):
    other = run(search_spec(training={"seed": 7}, trials=3))
    assert other.trials[1].parameters != result.trials[1].parameters


@pytest.mark.slow
def test_a_trial_that_is_worse_than_most_on_its_first_fold_ends_there_and_is_not_best(result):
    spec = search_spec(trials=14)
    with_pruning = run(spec)
    pruned = [trial for trial in with_pruning.trials if trial.pruned]
    assert pruned
    assert all(len(trial.folds) == 1 and trial.number >= STARTUP_TRIALS for trial in pruned)
    firsts = [trial.folds[0]["average_precision"] for trial in with_pruning.trials[: pruned[0].number]]
    assert pruned[0].value < sorted(firsts)[len(firsts) // 2]
    assert not with_pruning.best.pruned
    assert not any(trial.pruned for trial in run(search_spec(trials=8, prune=False)).trials)


def test_log_loss_is_minimized():
    result = run(search_spec(trials=3, metric="log_loss"))
    assert result.best.value == min(trial.value for trial in result.trials)
    assert list(means_of(search_spec(metric="log_loss"), result.best.folds))[-1] == result.best.value


def clock(step):
    """A clock that goes on by some seconds each time that somebody looks."""
    now = iter(range(0, 10**9, step))
    return lambda: next(now)


def test_minutes_end_a_search_and_the_trial_in_progress_does_not_count():
    kept = []
    result = run(search_spec(minutes=1.0), kept=kept, clock=clock(25))
    # A trial of two folds looks three times: 50 s each, and the second reaches 25 s after its first fold, past the 10 s
    # that are left.
    assert (result.stopped_by, len(result.trials), len(kept)) == ("minutes", 1, 1)
    again = run(search_spec(minutes=1.0), completed={0: kept[0]}, clock=clock(1))
    assert again.stopped_by == "minutes"
    assert len(again.trials) > 1


def test_the_first_trial_runs_however_little_time_there_is():
    result = run(search_spec(minutes=0.001), clock=clock(100))
    assert (result.stopped_by, result.best.number, len(result.trials)) == ("minutes", 0, 1)


def test_specified_parameters_outside_of_the_space_are_tried_too():
    result = run(search_spec(trials=3, training={"parameters": {"eta": 0.9}}))
    assert result.trials[0].parameters["eta"] == 0.9
    assert all(trial.parameters["eta"] <= 0.5 for trial in result.trials[1:])


def test_days_after_the_window_are_not_read():
    read_day, calls = reader()
    search(search_spec(trials=1), window_of(SPEC), read_day, {}, lambda trial: None, lambda line: None)
    assert sorted(calls) == window_of(SPEC)


def test_a_fold_without_both_classes_is_named():
    with pytest.raises(TrainingDataError, match=r"fold 1 of 2 of training\.search: .*validation part"):
        run(changed={window_of(SPEC)[-2]: _none})
