"""The search for parameters: trials on time-ordered folds of the training window, proposed by Optuna; a search that was
cut off goes on as it was.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.search import Range, Search
from ml_assets.core.model_spec.training import Parameters
from ml_assets.core.tables.fingerprint import digest
from ml_assets.core.training.batches import LabelledDays, ReadDay
from ml_assets.core.training.overrides import with_training
from ml_assets.core.training.time_split import Split
from ml_assets.core.training.train import TrainingDataError, train
from ml_assets.core.training.trials import Found, Trial

# Trials before the first that may be pruned, or proposed by what came before; fewer tell nothing.
STARTUP_TRIALS = 5


@dataclass(frozen=True)
class Fold:
    """Days to fit on, and the days right after them to validate on."""

    fit: list[date]
    validation: list[date]


def folds_of(spec: ModelSpec, window: Sequence[date]) -> list[Fold]:
    """The folds of a training window, the earliest first.

    Each validates on as many days as the early-stopping part of a training has; the last fold on the last days of the
    window, as a training does, the others on the days before. What a fold is fitted on lies before its validation,
    never after it.
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
    held: Mapping[int, Trial],
    keep: Callable[[Trial], None],
    log: Callable[[str], None],
    clock: Callable[[], float] = time.perf_counter,
) -> Found:
    """The best parameters for a training window.

    Trial 0 is of the parameters that the specification states; the others are proposed by Optuna's tree-structured
    Parzen estimator (Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011) from the trials before. The
    seed of a trial depends on `training.seed` and its number, so a search that goes on with the trials that it held
    equals one that was never cut off, as long as the budget of minutes ends neither. Of equal trials the first is best.

    Args:
        spec: the model, with `training.search`.
        window: the training window, ascending.
        read_day: gives the features of a day: target and features.
        held: trials of this search that were made before, by number; they are not made again.
        keep: is given each new trial as soon as it is complete or pruned.
        log: takes a line on each new trial.
        clock: seconds.

    Raises:
        TrainingDataError: when a fold has not both classes; it names the fold.
        ValueError: as in `train`.
    """
    settings = _settings(spec)
    # Workers of a cluster read the days themselves.
    read = read_day if spec.training.engine == "dask" else LabelledDays(spec, read_day).frame
    folds, study = folds_of(spec, window), _Study(spec)
    trials: list[Trial] = []
    while len(trials) < settings.trials:
        number, spent = len(trials), sum(trial.seconds for trial in trials)
        left = settings.minutes * 60 - spent if trials else float("inf")
        if left <= 0:
            return _found(settings, trials, "minutes")
        trial = held.get(number) or _run(spec, study, number, folds, read, left, clock)
        if trial is None:
            return _found(settings, trials, "minutes")
        if number not in held:
            keep(trial)
            pruned = f"pruned after fold {len(trial.folds)}, " if trial.pruned else ""
            figures = f"{pruned}{settings.metric} {trial.value:.4f}, {trial.seconds:.1f} s"
            log(f"{spec.name}: trial {number}: {figures}, {dict(trial.parameters)}")
        study.add(trial)
        trials.append(trial)
    return _found(settings, trials, "trials")


def _settings(spec: ModelSpec) -> Search:
    if spec.training.search is None:
        raise ValueError(f"{spec.name}: there is no training.search in the specification")
    return spec.training.search


def _found(settings: Search, trials: list[Trial], stopped_by: Any) -> Found:
    sign = 1 if settings.metric == "log_loss" else -1
    best = min((trial for trial in trials if not trial.pruned), key=lambda trial: (sign * trial.value, trial.number))
    return Found(best, trials, stopped_by)


class _Study:
    """Optuna's study of the trials so far: proposes parameters, and says which trial to prune."""

    def __init__(self, spec: ModelSpec):
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
            direction="minimize" if settings.metric == "log_loss" else "maximize", pruner=pruner
        )

    def propose(self, number: int) -> dict[str, float]:
        """The searched parameters of a trial: those that the specification states for the first."""
        if number == 0:
            stated = self._spec.training.parameters.model_dump()
            return {name: stated[name] for name in self._distributions}
        seed = int(digest(self._spec.training.seed, number)[:8], 16)
        self._study.sampler = self._optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS)
        # A study of its own for each proposal, so that an unfinished trial is nowhere.
        asked = self._copy().ask(self._distributions)
        return {name: asked.params[name] for name in self._distributions}

    def prunes(self, parameters: Mapping[str, float], means: Sequence[float]) -> bool:
        """Whether a trial with these means over its first folds ends here."""
        if not self._fits(parameters):
            return False
        unfinished = self._frozen(parameters, means, self._optuna.trial.TrialState.RUNNING)
        return self._study.pruner.prune(self._study, unfinished)

    def add(self, trial: Trial) -> None:
        """Let the next proposals know of a trial. One of stated parameters that lie outside of the space tells nothing
        of it.
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
        done = None if state == self._optuna.trial.TrialState.RUNNING else means[-1]
        steps = dict(enumerate(means))
        return self._optuna.trial.create_trial(
            state=state,
            value=done,
            params=dict(parameters),
            distributions=self._distributions,
            intermediate_values=steps,
        )

    def _fits(self, parameters: Mapping[str, float]) -> bool:
        return all(searched.holds(parameters[name]) for name, searched in _settings(self._spec).space.items())


def means_of(spec: ModelSpec, folds: Sequence[Mapping[str, float]]) -> Iterator[float]:
    """The mean of the searched metric over the first fold, over the first two, and so on."""
    values = [fold[_settings(spec).metric] for fold in folds]
    return (sum(values[:count]) / count for count in range(1, len(values) + 1))


@cache
def _is_whole(name: str) -> bool:
    return Parameters.model_fields[name].annotation is int


def _distributions(settings: Search) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, Any] = {}
    for name, searched in settings.space.items():
        if isinstance(searched, Range):
            kind, number = (IntDistribution, int) if _is_whole(name) else (FloatDistribution, float)
            found[name] = kind(number(searched.low), number(searched.high), log=searched.log)
        else:
            found[name] = CategoricalDistribution(
                [int(value) if _is_whole(name) else value for value in searched.values]
            )
    return found


def _run(
    spec: ModelSpec,
    study: _Study,
    number: int,
    folds: Sequence[Fold],
    read_day: ReadDay,
    left: float,
    clock: Callable[[], float],
) -> Trial | None:
    """One trial; None when the seconds that are left end before it does."""
    begun, parameters, figures = clock(), study.propose(number), []
    # The last fold leaves the threshold and the rest of the window alone, as all folds do: nothing is fitted again on
    # its validation.
    tried = with_training(spec, {**parameters, "refit": False, "search": None})
    for place, fold in enumerate(folds, 1):
        try:
            model = train(tried, Split(fold.fit, fold.validation, []), read_day, lambda line: None)
        except TrainingDataError as error:
            raise TrainingDataError(f"fold {place} of {len(folds)} of training.search: {error}") from error
        figures.append({**model.metrics, "rounds": model.rounds})
        if place == len(folds):
            break
        if clock() - begun > left:
            return None
        if number and study.prunes(parameters, list(means_of(spec, figures))):
            break
    mean = list(means_of(spec, figures))[-1]
    return Trial(number, parameters, figures, mean, len(figures) < len(folds), clock() - begun)
