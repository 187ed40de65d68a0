"""Boosting rounds with early stopping and resumption from checkpoints, shared by all engines."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ml_assets.core.training.progress import Curve, Pace, Tell


@dataclass(frozen=True)
class Boosted:
    """A booster after some rounds: its UBJSON bytes, without attributes, and the validation metrics of each round."""

    rounds: int = 0
    curve: Mapping[str, list[float]] | None = None
    model: bytes | None = None


class Checkpoints(Protocol):
    """The checkpoints of boosters during training, one per name."""

    def load(self, slot: str) -> Boosted | None:
        """Return the last checkpoint under a name; None when there is none, or it cannot be read."""
        ...

    def save(self, slot: str, boosted: Boosted) -> None:
        """Replace the checkpoint under a name atomically."""
        ...


class NoCheckpoints:
    """Checkpoint store that stores nothing, for training that is never resumed."""

    def load(self, slot: str) -> Boosted | None:
        """Return None."""
        return None

    def save(self, slot: str, boosted: Boosted) -> None:
        """Save nothing."""


@dataclass(frozen=True)
class Segment:
    """Rounds that are trained in one call.

    parameters: XGBoost's parameters. rounds: number of further rounds. begun: the booster from which they start.
    patience: number of rounds without a lower stopping metric, the first `eval_metric` of the parameters, after which
    to stop; None without a validation part.
    """

    parameters: dict[str, Any]
    rounds: int
    begun: Boosted
    patience: int | None

    def stops(self, curve: Mapping[str, list[float]]) -> bool:
        """Return whether early stopping ends training after the rounds of the segment with these metrics."""
        if self.patience is None:
            return False
        metric = stopping_metric(self.parameters)
        before = (self.begun.curve or {}).get(metric, [])
        return is_out_of_patience([*before, *curve[metric]], self.patience)


OnRound = Callable[[int, Mapping[str, list[float]], Callable[[], bytes] | None], None]
"""Callback after each round, or after some rounds: number of completed rounds of the segment, their metrics, and a
function that returns the booster's bytes (None where the booster is on another machine)."""

Train = Callable[[Segment, OnRound], tuple[bytes, Mapping[str, list[float]]]]
"""Function that trains a segment and returns the booster's bytes and the metrics of the rounds of the segment."""


@dataclass(frozen=True)
class Phase:
    """One training of a booster.

    name: `early_stopping` or `refit`. device: `cpu` or `cuda`; they round sums differently, so neither resumes from a
    checkpoint of the other. parameters: XGBoost's parameters. rounds: maximum number of rounds. patience: see
    `Segment`. rows: number of rows of each round. checkpoint_rounds: number of rounds between checkpoints. restarts:
    whether XGBoost restarts from the bytes at each checkpoint, so that a resumed run gives the same result as an
    uninterrupted one; needed where the state of a running booster is more than its trees.
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
    """Train all rounds of a phase, except those that a checkpoint already has.

    Without sampling, a booster on the CPU that resumes from its bytes builds the same trees as one that was not
    interrupted: its margins are sums of the same leaves in the same order. Checkpoints then do not interrupt boosting.
    With `restarts`, each part of `checkpoint_rounds` rounds starts from the bytes of the previous part, with a seed of
    its own. In both cases interrupted training gives the same bytes as uninterrupted training.

    Args:
        phase: the phase to train.
        open_data: prepares the data and returns the function that trains on them; not called when a checkpoint has all
            rounds.
        checkpoints: written every `checkpoint_rounds` rounds and, if at least that many rounds were trained, at the
            end.
        tell: receives the progress every few seconds.
        log: receives a line when training resumes from a checkpoint.
    """
    checkpoint = checkpoints.load(phase.slot)
    state = checkpoint or Boosted()
    if checkpoint:
        log(
            f"{phase.name}: an earlier run was interrupted; resuming after round {checkpoint.rounds} of at most "
            f"{phase.rounds}"
        )
    if _is_finished(phase, state):
        return state
    with open_data() as train:
        pace = Pace(tell, phase.name, phase.rounds, phase.rows, state.rounds)
        while not _is_finished(phase, state):
            state = _segment(phase, state, train, checkpoints, pace)
    pace.round(state.rounds, lambda: dict(state.curve or {}), last=True)
    return state


def _segment(phase: Phase, begun: Boosted, train: Train, checkpoints: Checkpoints, pace: Pace) -> Boosted:
    rounds = phase.rounds - begun.rounds
    if phase.restarts:
        rounds = min(rounds, phase.checkpoint_rounds - begun.rounds % phase.checkpoint_rounds)

    def on_round(done: int, curve: Mapping[str, list[float]], model: Callable[[], bytes] | None) -> None:
        now = begun.rounds + done
        pace.round(now, lambda: join_curves(begun.curve, curve))
        if model is not None and now % phase.checkpoint_rounds == 0 and done < rounds:
            checkpoints.save(phase.slot, Boosted(now, join_curves(begun.curve, curve), model()))

    # XGBoost reseeds its random numbers for each segment, so each segment has its own seed.
    parameters = {**phase.parameters, "seed": phase.parameters["seed"] + begun.rounds}
    model, curve = train(Segment(parameters, rounds, begun, phase.patience), on_round)
    done = len(curve[stopping_metric(phase.parameters)]) if phase.patience is not None else rounds
    state = Boosted(begun.rounds + done, join_curves(begun.curve, curve), model)
    if state.rounds >= phase.checkpoint_rounds:
        checkpoints.save(phase.slot, state)
    return state


def _is_finished(phase: Phase, state: Boosted) -> bool:
    if state.rounds >= phase.rounds:
        return True
    if phase.patience is None or not state.curve:
        return False
    return is_out_of_patience(state.curve[stopping_metric(phase.parameters)], phase.patience)


def stopping_metric(parameters: Mapping[str, Any]) -> str:
    """Return the metric that decides when training stops: the first that XGBoost measures."""
    return parameters["eval_metric"][0]


def is_out_of_patience(values: list[float], patience: int) -> bool:
    """Return whether none of the last `patience` values is below the minimum before them.

    XGBoost's own `EarlyStopping` decides the same, but it keeps its history in memory, so another process cannot
    resume.
    """
    return len(values) - 1 - best_position(values) >= patience


def best_position(values: list[float]) -> int:
    """Return the position of the first minimum."""
    return values.index(min(values))


def join_curves(before: Mapping[str, list[float]] | None, after: Mapping[str, list[float]]) -> Curve:
    """Join two curves of consecutive rounds."""
    return {name: [*(before or {}).get(name, []), *map(float, values)] for name, values in after.items()} or dict(
        before or {}
    )


def to_bytes(booster) -> bytes:
    """Serialize a booster to UBJSON without its attributes, which describe early stopping and not the model."""
    booster.set_attr(**dict.fromkeys(booster.attributes()))
    return bytes(booster.save_raw("ubj"))


def training_callback(segment: Segment, on_round: OnRound, measures: Mapping[str, Callable[[Any], float]]):
    """Return a callback for XGBoost that stops early and reports each round.

    Args:
        segment: the rounds.
        on_round: see `OnRound`.
        measures: validation metrics in addition to those of XGBoost, by name: functions of the booster.
    """
    from xgboost.callback import TrainingCallback

    class ReportRounds(TrainingCallback):
        def after_iteration(self, model, epoch, evals_log) -> bool:
            curve = evals_log.get("validation", {})
            for name, measure in measures.items():
                curve.setdefault(name, []).append(measure(model))
            on_round(epoch + 1, curve, lambda: to_bytes(model))
            return segment.stops(curve)

    return ReportRounds()
