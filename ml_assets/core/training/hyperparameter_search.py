"""Hyperparameter search: trials on time-ordered folds of the training window, proposed by Optuna.

An interrupted search resumes with the trials that it has completed.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from ml_assets.core.extras import needs_extra
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.search import Range, Search
from ml_assets.core.model_spec.training import Parameters
from ml_assets.core.model_spec.types.metric_names import LOWER_IS_BETTER
from ml_assets.core.tables.fingerprint import digest
from ml_assets.core.training.batches import LabelledDays, ReadDay
from ml_assets.core.training.overrides import with_training
from ml_assets.core.training.row_counts import TrainingDataError
from ml_assets.core.training.time_split import Split
from ml_assets.core.training.train import train
from ml_assets.core.training.trials import SearchResult, Trial

# Number of initial trials that are neither pruned nor proposed from earlier ones, because fewer carry no information.
STARTUP_TRIALS = 5


@dataclass(frozen=True)
class Fold:
    """The fit days of a fold and its validation days, which follow them."""

    fit: list[date]
    validation: list[date]


def folds_of(spec: ModelSpec, window: Sequence[date]) -> list[Fold]:
    """Return the folds of a training window, the earliest first.

    Each fold validates on as many days as the early-stopping part of training has: the last fold on the last days of
    the window, as training does, and the others on the days before. The fit days of a fold are always before its
    validation days.
    """
    search, length = _settings(spec), spec.training.validation.days
    first = len(window) - search.folds * length
    begins = [first + number * length for number in range(search.folds)]
    return [
        Fold(
            list(window[0 if search.fit == "expanding" else begin - first : begin]),
            list(window[begin : begin + length]),
        )
        for begin in begins
    ]


def search(
    spec: ModelSpec,
    window: Sequence[date],
    read_day: ReadDay,
    completed: Mapping[int, Trial],
    keep: Callable[[Trial], None],
    log: Callable[[str], None],
    clock: Callable[[], float] = time.perf_counter,
) -> SearchResult:
    """Search the best parameters for a training window.

    Trial 0 uses the parameters of the specification; the others are proposed by Optuna's tree-structured Parzen
    estimator (Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011) from the earlier trials. The seed of
    a trial depends on `training.seed` and its number, so a resumed search equals an uninterrupted one, unless the time
    budget ends either of them. Among equal trials the first is best.

    Args:
        spec: the model, with `training.search`.
        window: the training window, ascending.
        read_day: returns target and features of a day.
        completed: earlier trials of this search by number, which are not repeated.
        keep: receives each new trial as soon as it is complete or pruned.
        log: receives a line for each new trial.
        clock: returns seconds.

    Raises:
        TrainingDataError: names the fold, when one lacks a class.
        ValueError: as in `train`.
    """
    settings = _settings(spec)
    # The Dask workers read the days themselves.
    read = read_day if spec.training.engine == "dask" else LabelledDays(spec, read_day).frame
    folds, study = folds_of(spec, window), _Study(spec)
    trials: list[Trial] = []
    while len(trials) < settings.trials:
        number, spent = len(trials), sum(trial.seconds for trial in trials)
        seconds_left = settings.minutes * 60 - spent if trials else float("inf")
        if seconds_left <= 0:
            return _result(settings, trials, "minutes")
        trial = completed.get(number) or _run(spec, study, number, folds, read, seconds_left, clock)
        if trial is None:
            return _result(settings, trials, "minutes")
        if number not in completed:
            keep(trial)
            pruned = f"pruned after fold {len(trial.folds)}, " if trial.pruned else ""
            figures = f"{pruned}{settings.metric} {trial.value:.4f}, {trial.seconds:.1f} s"
            log(f"{spec.name}: trial {number}: {figures}, {dict(trial.parameters)}")
        study.add(trial)
        trials.append(trial)
    return _result(settings, trials, "trials")


def _settings(spec: ModelSpec) -> Search:
    if spec.training.search is None:
        raise ValueError(f"{spec.name}: the specification has no training.search")
    return spec.training.search


def _result(settings: Search, trials: list[Trial], stopped_by: Any) -> SearchResult:
    sign = 1 if settings.metric in LOWER_IS_BETTER else -1
    best = min((trial for trial in trials if not trial.pruned), key=lambda trial: (sign * trial.value, trial.number))
    return SearchResult(best, trials, stopped_by)


class _Study:
    """Optuna's study of the trials so far, which proposes parameters and decides which trial to prune."""

    def __init__(self, spec: ModelSpec):
        with needs_extra("search", "training.search"):
            import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        settings = _settings(spec)
        self._optuna, self._spec, self._distributions = optuna, spec, _distributions(settings)
        pruner = (
            optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS)
            if settings.prune
            else optuna.pruners.NopPruner()
        )
        self._study = optuna.create_study(
            direction="minimize" if settings.metric in LOWER_IS_BETTER else "maximize", pruner=pruner
        )

    def propose(self, number: int) -> dict[str, float]:
        """Propose the parameters of a trial; for the first trial, those of the specification."""
        if number == 0:
            stated = self._spec.training.parameters.model_dump()
            return {name: stated[name] for name in self._distributions}
        seed = int(digest(self._spec.training.seed, number)[:8], 16)
        self._study.sampler = self._optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS)
        # Each proposal uses a copy, so that the study never has an unfinished trial.
        proposal = self._copy().ask(self._distributions)
        return {name: proposal.params[name] for name in self._distributions}

    def should_prune(self, parameters: Mapping[str, float], means: Sequence[float]) -> bool:
        """Return whether to prune a trial with these means over its first folds."""
        if not self._fits(parameters):
            return False
        unfinished = self._frozen(parameters, means, self._optuna.trial.TrialState.RUNNING)
        return self._study.pruner.prune(self._study, unfinished)

    def add(self, trial: Trial) -> None:
        """Add a trial for the next proposals, unless its parameters are outside the search space, as those of the
        specification may be.
        """
        if self._fits(trial.parameters):
            states = self._optuna.trial.TrialState
            means = list(means_of(self._spec, trial.folds))
            self._study.add_trial(
                self._frozen(trial.parameters, means, states.PRUNED if trial.pruned else states.COMPLETE)
            )

    def _copy(self):
        copy = self._optuna.create_study(direction=self._study.direction, sampler=self._study.sampler)
        copy.add_trials(self._study.get_trials(deepcopy=False))
        return copy

    def _frozen(self, parameters: Mapping[str, float], means: Sequence[float], state):
        value = None if state == self._optuna.trial.TrialState.RUNNING else means[-1]
        steps = dict(enumerate(means))
        return self._optuna.trial.create_trial(
            state=state,
            value=value,
            params=dict(parameters),
            distributions=self._distributions,
            intermediate_values=steps,
        )

    def _fits(self, parameters: Mapping[str, float]) -> bool:
        return all(searched.holds(parameters[name]) for name, searched in _settings(self._spec).space.items())


def means_of(spec: ModelSpec, folds: Sequence[Mapping[str, float]]) -> Iterator[float]:
    """Return the mean of the searched metric over the first fold, over the first two, and so on."""
    values = [fold[_settings(spec).metric] for fold in folds]
    return (sum(values[:count]) / count for count in range(1, len(values) + 1))


@cache
def _is_whole(name: str) -> bool:
    return Parameters.model_fields[name].annotation is int


def _distributions(settings: Search) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    distributions: dict[str, Any] = {}
    for name, searched in settings.space.items():
        if isinstance(searched, Range):
            kind, number = (IntDistribution, int) if _is_whole(name) else (FloatDistribution, float)
            distributions[name] = kind(number(searched.low), number(searched.high), log=searched.log)
        else:
            distributions[name] = CategoricalDistribution(
                [int(value) if _is_whole(name) else value for value in searched.values]
            )
    return distributions


def _run(
    spec: ModelSpec,
    study: _Study,
    number: int,
    folds: Sequence[Fold],
    read_day: ReadDay,
    seconds_left: float,
    clock: Callable[[], float],
) -> Trial | None:
    """Run one trial; return None when it does not finish within the remaining seconds."""
    begun, parameters, figures = clock(), study.propose(number), []
    # Like all other folds, the last fold is not fitted again on its validation days.
    trial_spec = with_training(spec, {**parameters, "refit": False, "search": None})
    for number_of_fold, fold in enumerate(folds, 1):
        try:
            model = train(trial_spec, Split(fold.fit, fold.validation, []), read_day, lambda line: None)
        except TrainingDataError as error:
            raise TrainingDataError(f"fold {number_of_fold} of {len(folds)} of training.search: {error}") from error
        figures.append({**model.metrics, "rounds": model.rounds})
        if number_of_fold == len(folds):
            break
        if clock() - begun > seconds_left:
            return None
        if number and study.should_prune(parameters, list(means_of(spec, figures))):
            break
    mean = list(means_of(spec, figures))[-1]
    return Trial(number, parameters, figures, mean, len(figures) < len(folds), clock() - begun)
