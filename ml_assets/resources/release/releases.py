"""Releases of a model: the ledger decides what is live; MLflow's aliases and the deploy target are brought in line with
it.
"""

import logging
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.release.ledger_rows import fold
from ml_assets.core.release.registry_state import RegistryState
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION, Move, Release, Version, adopt
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import ModelFilesUnusable, read_model_files
from ml_assets.resources.lake.table_files import newest_day
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.release.ledger import Ledger, LedgerConflict
from ml_assets.resources.release.release_targets import ReleaseTargets

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

log = logging.getLogger("ml_assets.releases")
DEPLOYMENT = "deployment"
ATTEMPTS = 5
# Longer than it takes somebody who is carrying out a release to look at the ledger again.
SECONDS_TO_SETTLE = 1.0


class ReleaseRefused(Exception):
    """A version cannot be released; the message says why. Nothing was written."""


class NotCarriedOut(Exception):
    """A release is in the ledger and holds, but MLflow or the deploy target could not be brought in line; the next look
    at what is live does it.
    """


class Releases:
    """What is live of one model, and moving it. Not safe across threads; other processes may release at the same time.

    problems: what the last call could not bring in line, one sentence each.
    """

    def __init__(self, lake: Lake, registry: ModelRegistry, deploy_target: DeployTarget, name: str):
        self._lake, self._registry, self._name = lake, registry, name
        self._live = ReleaseTargets(lake, registry, deploy_target, name)
        self.ledger = Ledger(lake, name)
        self.problems: list[str] = []

    def state(self) -> Release:
        """What is live now. Whatever a process that died left undone is done; what somebody moved in MLflow by hand is
        taken into the ledger.

        Raises:
            LakeError, MlflowUnavailable: when the lake or the registry cannot be reached.
        """
        self.problems = []
        rows, shown = self.ledger.rows(), self._live.shown()
        latest = fold(rows)[-1][1] if rows else Release()
        if shown and self._live.moved_by_hand(shown, latest):
            self._take_over(shown, latest)
        elif self._live.are_in_line(latest, rows, shown):
            return latest
        else:
            log.warning(
                "%s: release %d was not carried out in full; aliases and deploy target are brought in line",
                self._name,
                latest.number,
            )
        self._carry_out()
        return self.ledger.latest()

    def history(self) -> list[tuple[date, Release]]:
        """What was live after each release, in their order, with the first day of predictions that sees it."""
        return self.ledger.releases()

    def moves(self) -> list[Move]:
        """All releases in their order, with who made each and why."""
        return self.ledger.moves()

    def versions(self) -> list[Version]:
        """All versions in the registry, lowest first.

        Raises:
            UnknownVersion: when one does not say which model it is of.
        """
        from ml_assets.resources.registry.cleanup import registered_versions

        found = registered_versions(self._registry.client, self._name) if self._registry.may_hold_models() else []
        return [Version(version.number, version.digest, version.day) for version in found]

    def version(self, number: int) -> Version:
        """A version in the registry that may be released.

        Raises:
            ReleaseRefused: when there is none with the number, it does not say which model it is of, or it does not
                pass its gates.
        """
        from mlflow.exceptions import MlflowException

        try:
            if self._registry.may_hold_models():
                return _told(self._registry.client.get_model_version(self._name, str(number)))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
        there = ", ".join(str(version.number) for version in self.versions())
        raise ReleaseRefused(
            f"there is no version {number} of {self._name} in MLflow; it has {f'versions {there}' if there else 'none'}"
        )

    def newest_decided_day(self) -> date | None:
        """The newest day that the stage deployment decided upon."""
        there = self._lake.exists(self._name, DEPLOYMENT)
        return newest_day(*self._lake.location(self._name, DEPLOYMENT)) if there else None

    def release(self, before: Release, move: Move) -> None:
        """Record a release in the ledger, then bring aliases and deploy target in line.

        Args:
            before: what was live when it was decided upon, as `state` gave it.
            move: the release.

        Raises:
            LedgerConflict: when something else is live by now; look at the state and decide again.
            ReleaseRefused: when a version that goes live is not in the registry, or its files are not in the lake.
            NotCarriedOut: when it is in the ledger, but MLflow or the deploy target cannot be written.
        """
        self.problems, shown = [], self._live.shown()
        for version in {move.after.champion, move.after.challenger} - {before.champion, before.challenger}:
            if version:
                self._check(version)
        if shown and self._live.moved_by_hand(shown, before):
            raise LedgerConflict(
                f"{self._name}: an alias was moved in MLflow since release {before.number}; look at what is live and decide again"
            )
        self.ledger.append(before, move)
        try:
            self._carry_out()
        except Exception as error:
            raise NotCarriedOut(
                f"release {move.after.number} of {self._name} is in the ledger and holds, but could not be carried out in full: {error}. "
                "It is completed by the next run of deployment, or by `make releases`"
            ) from error

    def _take_over(self, shown: RegistryState, state: Release) -> None:
        # Somebody who carries out an older release late sees the newer one right after, and makes it good.
        time.sleep(SECONDS_TO_SETTLE)
        if self._live.shown() != shown or self.ledger.latest() != state:
            return
        try:
            found = self._adopted(shown, state)
            if replace(found, number=state.number) != state:
                self.ledger.append(
                    state, Move("adopt", found, self._day(state, found), "MLflow", _what_moved(state, found), {})
                )
        except ReleaseRefused as refused:
            self._note(
                f"what was moved in MLflow by hand is not taken over: {refused}; it is put back as release {state.number} has it"
            )
        except LedgerConflict:
            log.info("%s: somebody released while what was moved in MLflow was taken over", self._name)

    def _adopted(self, shown: RegistryState, state: Release) -> Release:
        champion, challenger = (self._version(shown.aliases.get(alias), state) for alias in (CHAMPION, CHALLENGER))
        if champion is None and state.champion is not None:
            raise ReleaseRefused("the alias champion was deleted, and without a champion nothing would be scored")
        if challenger not in (None, champion) and not 1 <= shown.percent <= 99:
            raise ReleaseRefused(
                f"the challenger has no share: the tag canary_percent must be from 1 to 99, and is {shown.percent}"
            )
        unseen = adopt(state, champion, challenger, shown.percent, shown.paused, date.max)
        return adopt(state, champion, challenger, shown.percent, shown.paused, self._day(state, unseen))

    def _day(self, state: Release, found: Release) -> date:
        """The first day of predictions that sees what was moved by hand: the one after the newest day that was decided
        upon.
        """
        decided, moves = self.newest_decided_day(), self.ledger.moves()
        last = moves[-1].day if moves else max(version.day for version in (found.champion, found.challenger) if version)
        return max(last, decided + timedelta(days=1)) if decided else last

    def _version(self, number: int | None, state: Release) -> Version | None:
        """The version that an alias points to, which can be released."""
        if number is None:
            return None
        found = self._registry.client.get_model_version(self._name, str(number))
        live = {version.digest: version for version in state.aliases.values() if version}
        if known := live.get(found.tags.get("model_digest", "")):
            return known
        version = _told(found)
        self._check(version)
        return version

    def _check(self, version: Version) -> None:
        if version.digest not in self._registry.registered(self._name):
            raise ReleaseRefused(f"{version} of {self._name} is not in the registry")
        try:
            read_model_files(self._lake, self._name, version.digest)
        except ModelFilesUnusable as error:
            raise ReleaseRefused(f"{version} of {self._name} cannot go live: {error}") from error

    def _carry_out(self) -> None:
        """Bring MLflow and the deploy target in line with the ledger, again when somebody releases meanwhile."""
        for _ in range(ATTEMPTS):
            rows = self.ledger.rows()
            if not rows:
                return
            _, latest = fold(rows)[-1]
            problems = self._live.bring_in_line(latest, rows)
            if self.ledger.latest() == latest:
                for problem in problems:
                    self._note(problem)
                if not problems:
                    self._live.mark_as_carried_out(latest, rows)
                return

    def _note(self, problem: str) -> None:
        log.warning("%s: %s", self._name, problem)
        self.problems.append(problem)


def _told(found: "ModelVersion") -> Version:
    """A version by its own tags."""
    day, digest = found.tags.get("day"), found.tags.get("model_digest")
    if not day or not digest:
        raise ReleaseRefused(
            f"version {found.version} has no tags day and model_digest, so it is not known which model it is"
        )
    if found.tags.get("gates") == "failed":
        raise ReleaseRefused(f"version {found.version} of {day} does not pass its gates")
    return Version(int(found.version), digest, date.fromisoformat(day))


def _what_moved(before: Release, after: Release) -> str:
    old = before.aliases
    moved = [
        f"{alias} from {old[alias] or 'none'} to {version or 'none'}"
        for alias, version in after.aliases.items()
        if version != old[alias]
    ]
    share = [f"the share from {before.percent} to {after.percent} percent"] if before.percent != after.percent else []
    paused = [f"paused from {before.paused} to {after.paused}"] if before.paused != after.paused else []
    return f"moved in MLflow by hand: {', '.join([*moved, *share, *paused])}"
