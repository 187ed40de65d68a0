"""Rounds of boosting, from a checkpoint where there is one, with early stopping: what all engines have in common."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ml_assets.core.training.progress import Curve, Pace, Tell

# Average precision would be nearer to what is wanted, but it is noisy where positives are few: training then stops too
# early.
STOPPING_METRIC = "logloss"
WATCHED = ("logloss", "aucpr")


@dataclass(frozen=True)
class Boosted:
    """A booster after some rounds: its bytes in UBJSON, without attributes, and the metrics of the validation part in
    each of its rounds.
    """

    rounds: int = 0
    curve: Mapping[str, list[float]] | None = None
    model: bytes | None = None


class Checkpoints(Protocol):
    """Where boosters are kept while they are trained, one under each name."""

    def load(self, slot: str) -> Boosted | None:
        """What was saved last under a name; None when there is nothing, or nothing that can be read."""
        ...

    def save(self, slot: str, boosted: Boosted) -> None:
        """Keep it, whole or not at all, in the place of what was saved before."""
        ...


class NoCheckpoints:
    """For training that nobody will go on with."""

    def load(self, slot: str) -> Boosted | None:
        """Nothing."""
        return None

    def save(self, slot: str, boosted: Boosted) -> None:
        """Nowhere."""


@dataclass(frozen=True)
class Segment:
    """Rounds that are trained in one go.

    parameters: XGBoost's. rounds: how many more. begun: what they follow. patience: rounds without a lower
    STOPPING_METRIC after which to stop; None where nothing is watched.
    """

    parameters: dict[str, Any]
    rounds: int
    begun: Boosted
    patience: int | None

    def stops(self, curve: Mapping[str, list[float]]) -> bool:
        """Whether early stopping ends training after the rounds of the segment that have these metrics."""
        return self.patience is not None and is_over(joined(self.begun.curve, curve)[STOPPING_METRIC], self.patience)


OnRound = Callable[[int, Mapping[str, list[float]], Callable[[], bytes] | None], None]
"""Called after each round, or after some of them: rounds of the segment that are done, their metrics, and what gives
the booster's bytes (None where the booster is on another machine)."""

Train = Callable[[Segment, OnRound], tuple[bytes, Mapping[str, list[float]]]]
"""Trains a segment: the booster's bytes, and the metrics of the rounds of the segment."""


@dataclass(frozen=True)
class Phase:
    """One training of a booster.

    name: `early_stopping` or `refit`. device: `cpu` or `cuda`, which do not sum alike, so neither goes on from the
    checkpoint of the other. parameters: XGBoost's. rounds: the most. patience: see `Segment`. rows: that each round
    sees. checkpoint_rounds: rounds between checkpoints. restarts: whether XGBoost is begun anew from the bytes at each
    checkpoint, so that a run that goes on from there does what one does that was never interrupted: needed where the
    state of a running booster has more than its trees.
    """

    name: str
    device: str
    parameters: dict[str, Any]
    rounds: int
    patience: int | None
    rows: int
    checkpoint_rounds: int
    restarts: bool

    @property
    def slot(self) -> str:
        """The name of its checkpoint."""
        return f"{self.name}_{self.device}"


def boost(
    phase: Phase,
    open_data: Callable[[], AbstractContextManager[Train]],
    checkpoints: Checkpoints,
    tell: Tell,
    log: Callable[[str], None],
) -> Boosted:
    """All rounds of a phase; those that a checkpoint has are not trained again.

    Without sampling, a booster on the CPU that goes on from its bytes makes the trees that it would have made: its
    margins are sums of the same leaves in the same order. So checkpoints are then only written on the way. With
    `restarts` each part of `checkpoint_rounds` rounds begins from the bytes of the last, with a seed of its own. Either
    way training that was interrupted gives the bytes of training that was not.

    Args:
        phase: what to train.
        open_data: makes the data ready, and gives what trains on it; not called when a checkpoint has all rounds.
        checkpoints: written every `checkpoint_rounds` rounds and, where there are as many, at the end.
        tell: is told how far training is, every few seconds.
        log: takes a line when training goes on from a checkpoint.
    """
    found = checkpoints.load(phase.slot)
    state = found or Boosted()
    if found:
        log(
            f"{phase.name}: a run before this one was interrupted; going on after round {found.rounds} of at most "
            f"{phase.rounds}"
        )
    if _is_finished(phase, state):
        return state
    with open_data() as train:
        pace = Pace(tell, phase.name, phase.rounds, phase.rows, state.rounds)
        while not _is_finished(phase, state):
            state = _segment(phase, state, train, checkpoints, pace)
    pace.round(state.rounds, dict(state.curve or {}), last=True)
    return state


def _segment(phase: Phase, begun: Boosted, train: Train, checkpoints: Checkpoints, pace: Pace) -> Boosted:
    left = phase.rounds - begun.rounds
    rounds = min(left, phase.checkpoint_rounds - begun.rounds % phase.checkpoint_rounds) if phase.restarts else left

    def on_round(done: int, curve: Mapping[str, list[float]], model: Callable[[], bytes] | None) -> None:
        now = begun.rounds + done
        pace.round(now, joined(begun.curve, curve))
        if model is not None and now % phase.checkpoint_rounds == 0 and done < rounds:
            checkpoints.save(phase.slot, Boosted(now, joined(begun.curve, curve), model()))

    # XGBoost's random numbers begin anew with each segment, so each has a seed of its own.
    parameters = {**phase.parameters, "seed": phase.parameters["seed"] + begun.rounds}
    model, curve = train(Segment(parameters, rounds, begun, phase.patience), on_round)
    done = len(curve[STOPPING_METRIC]) if phase.patience is not None else rounds
    state = Boosted(begun.rounds + done, joined(begun.curve, curve), model)
    if state.rounds >= phase.checkpoint_rounds:
        checkpoints.save(phase.slot, state)
    return state


def _is_finished(phase: Phase, state: Boosted) -> bool:
    if state.rounds >= phase.rounds:
        return True
    return bool(phase.patience is not None and state.curve and is_over(state.curve[STOPPING_METRIC], phase.patience))


def is_over(values: list[float], patience: int) -> bool:
    """Whether the last `patience` values are all not below the lowest one before them. XGBoost's own `EarlyStopping`
    decides the same, but keeps what it has seen in itself, so it cannot go on in another process."""
    return len(values) - 1 - best(values) >= patience


def best(values: list[float]) -> int:
    """The position of the first lowest value."""
    return min(range(len(values)), key=values.__getitem__)


def joined(before: Mapping[str, list[float]] | None, after: Mapping[str, list[float]]) -> Curve:
    """One curve after the other."""
    return {name: [*(before or {}).get(name, []), *map(float, values)] for name, values in after.items()} or dict(
        before or {}
    )


def to_bytes(booster) -> bytes:
    """A booster in UBJSON. Attributes say how early stopping went, not what the model is, so they are left out."""
    booster.set_attr(**dict.fromkeys(booster.attributes()))
    return bytes(booster.save_raw("ubj"))


def follow(segment: Segment, on_round: OnRound):
    """A callback of XGBoost that stops early and tells of each round."""
    from xgboost.callback import TrainingCallback

    class Follow(TrainingCallback):
        def after_iteration(self, model, epoch, evals_log) -> bool:
            curve = evals_log.get("validation", {})
            on_round(epoch + 1, curve, lambda: to_bytes(model))
            return segment.stops(curve)

    return Follow()
