"""Releases of a model: the ledger decides what is live, and MLflow's aliases and the deploy target follow it."""

import logging
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from ml_assets.core.release.ledger_rows import fold
from ml_assets.core.release.registry_state import RegistryState
from ml_assets.core.release.release_differences import restore_command
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION, Move, Release, Version, adopt
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import ModelFilesUnusable, read_model_files
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.decisions import champion_after, newest_decided_day
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.release.errors import LedgerLost, NotCarriedOut
from ml_assets.resources.release.ledger import Ledger, LedgerConflict
from ml_assets.resources.release.manual_moves import ReleaseRefused, describe_move, describe_unknown_aliases, version_of
from ml_assets.resources.release.release_targets import ReleaseTargets

log = logging.getLogger("ml_assets.releases")
ATTEMPTS = 5
# Longer than a process takes to read the ledger again after it has carried out a release.
SETTLE_SECONDS = 1.0


class Releases:
    """The releases of one model. Not safe across threads; other processes may release at the same time.

    Attributes:
        ledger: the release ledger of the model.
        problems: the problems that the last call could not resolve, one sentence each.
    """

    def __init__(self, lake: Lake, registry: ModelRegistry, deploy_target: DeployTarget, name: str):
        self._lake = lake
        self._registry = registry
        self._name = name
        self._targets = ReleaseTargets(lake, registry, deploy_target, name)
        self.ledger = Ledger(lake, name)
        self.problems: list[str] = []

    def state(self) -> Release:
        """Return the current release.

        A release that a dead process left incomplete is completed. An alias that somebody moved in MLflow by hand is
        adopted into the ledger.

        Raises:
            LakeError, MlflowUnavailable: when the lake or the registry cannot be reached.
            LedgerLost: when MLflow or the deploy target have releases that the ledger does not have.
        """
        self.problems = []
        latest, rows, registry_state = self._read()
        if problem := self._targets.lost_ledger(latest, registry_state):
            raise LedgerLost(problem)
        if registry_state and self._targets.is_moved_by_hand(registry_state, latest):
            self._adopt_manual_move(registry_state, latest)
        elif differences := self._targets.differences(latest, rows, registry_state):
            log.warning(
                "%s: release %d was not carried out in full, or was changed since, and is synchronized now: %s",
                self._name,
                latest.number,
                "; ".join(differences),
            )
        elif registry_state is None or registry_state.release == latest.number:
            return latest
        # Otherwise only the mark of completion is missing.
        self._carry_out()
        return self.ledger.latest()

    def differences(self) -> list[str]:
        """Return how MLflow and the deploy target differ from the ledger, one sentence for each difference. Nothing is
        changed.

        Raises:
            LakeError, MlflowUnavailable: when the lake or the registry cannot be reached.
        """
        return self._targets.differences(*self._read(), with_files=True)

    def _read(self) -> tuple[Release, list[dict[str, Any]], RegistryState | None]:
        """Read ledger and MLflow, and the ledger again if it lacks releases that MLflow has carried out."""
        rows = self.ledger.rows()
        registry_state = self._targets.registry_state()
        latest = fold(rows)[-1][1] if rows else Release()
        if self._targets.lost_ledger(latest, registry_state):
            rows = self.ledger.rows()
            latest = fold(rows)[-1][1] if rows else Release()
        return latest, rows, registry_state

    def versions(self) -> list[Version]:
        """Return all versions in the registry, lowest first.

        Raises:
            UnknownVersion: when a version has no tags `day` and `model_digest`.
        """
        from ml_assets.resources.registry.cleanup import registered_versions

        if not self._registry.may_hold_models():
            return []
        return [
            Version(version.number, version.digest, version.day)
            for version in registered_versions(self._registry.client, self._name)
        ]

    def version(self, number: int) -> Version:
        """Return a version in the registry that may be released.

        Raises:
            ReleaseRefused: when there is no version with the number, it has no tags `day` and `model_digest`, or it
                does not pass its gates.
        """
        from mlflow.exceptions import MlflowException

        try:
            if self._registry.may_hold_models():
                return version_of(self._registry.client.get_model_version(self._name, str(number)))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
        numbers = ", ".join(str(version.number) for version in self.versions())
        raise ReleaseRefused(
            f"there is no version {number} of {self._name} in MLflow; it has "
            f"{f'versions {numbers}' if numbers else 'none'}"
        )

    def newest_decided_day(self) -> date | None:
        """Return the newest day for which the stage deployment made a decision."""
        return newest_decided_day(self._lake, self._name)

    def release(self, before: Release, move: Move) -> None:
        """Record a release in the ledger, then synchronize aliases and deploy target with it.

        Args:
            before: the state on which the decision was based, as `state` returned it.
            move: the release.

        Raises:
            LedgerConflict: when another release was made in the meantime; read the state and decide again.
            ReleaseRefused: when a version that goes live is not in the registry, or its files are not in the lake, or
                before the first release the registered model has aliases of versions that this pipeline cannot release.
            NotCarriedOut: when the release is in the ledger, but MLflow or the deploy target cannot be written.
        """
        self.problems = []
        registry_state = self._targets.registry_state()
        for version in {move.after.champion, move.after.challenger} - {before.champion, before.challenger}:
            if version:
                self._check(version, registry_state)
        if registry_state and self._targets.is_moved_by_hand(registry_state, before):
            if before == self.ledger.latest() == Release():
                raise ReleaseRefused(describe_unknown_aliases(self._name, registry_state.aliases))
            moved = f"an alias was moved in MLflow since release {before.number}"
            raise LedgerConflict(f"{self._name}: {moved}; look at what is live and decide again")
        self.ledger.append(before, move)
        try:
            self._carry_out()
        except Exception as error:
            raise NotCarriedOut(
                f"release {move.after.number} of {self._name} is in the ledger and valid, but could not be carried out "
                f"in full: {error}. It is completed by the next run of deployment, or by `ml-assets releases`"
            ) from error

    def _adopt_manual_move(self, registry_state: RegistryState, state: Release) -> None:
        # A process that is late with an older release reads the newer one right after, and corrects the aliases.
        time.sleep(SETTLE_SECONDS)
        if self._targets.registry_state() != registry_state or self.ledger.latest() != state:
            return
        try:
            adopted = self._adopted_release(registry_state, state)
            if replace(adopted, number=state.number) != state:
                day = self._first_day(adopted)
                self.ledger.append(state, Move("adopt", adopted, day, "MLflow", describe_move(state, adopted), {}))
        except ReleaseRefused as refused:
            kept = f"it is reset to release {state.number}" if state.number else "nothing has been released yet"
            self._report(f"the manual change in MLflow is not adopted: {refused}; {kept}")
        except LedgerConflict:
            log.info("%s: another process released while a manual change in MLflow was adopted", self._name)

    def _adopted_release(self, registry_state: RegistryState, state: Release) -> Release:
        champion, challenger = (
            self._version_of_alias(registry_state.aliases.get(alias), state) for alias in (CHAMPION, CHALLENGER)
        )
        if champion is None and state.champion is not None:
            raise ReleaseRefused("the alias champion was deleted, and without a champion nothing would be scored")
        is_same_shadow = challenger == state.challenger and registry_state.percent == state.percent == 0
        if challenger not in (None, champion) and not is_same_shadow and not 1 <= registry_state.percent <= 99:
            raise ReleaseRefused(
                "the challenger has no share: the tag canary_percent must be from 1 to 99, and is "
                f"{registry_state.percent}; `ml-assets canary` begins a shadow, where the first step is 0"
            )
        percent, paused = registry_state.percent, registry_state.paused
        undated = adopt(state, champion, challenger, percent, paused, date.max)
        return adopt(state, champion, challenger, percent, paused, self._first_day(undated))

    def _first_day(self, adopted: Release) -> date:
        """Return the first day of predictions that a manual move affects: the day after the newest decision, or the day
        of that decision if the ledger was lost and it left the same champion live.
        """
        decided, moves = self.newest_decided_day(), self.ledger.moves()
        live = [version for version in (adopted.champion, adopted.challenger) if version]
        last = moves[-1].day if moves else max(version.day for version in live)
        if decided is None:
            return last
        was_live = not moves and live[0].number == champion_after(self._lake, self._name, decided)
        return max(last, decided if was_live else decided + timedelta(days=1))

    def _version_of_alias(self, number: int | None, state: Release) -> Version | None:
        """Return the version that an alias points to, if it can be released."""
        if number is None:
            return None
        model_version = self._registry.client.get_model_version(self._name, str(number))
        live = {version.digest: version for version in state.aliases.values() if version}
        if known := live.get(model_version.tags.get("model_digest", "")):
            return known
        version = version_of(model_version)
        self._check(version, None)
        return version

    def _check(self, version: Version, registry_state: RegistryState | None) -> None:
        if not self._targets.has_version(version.digest, registry_state):
            raise ReleaseRefused(
                f"{version} of {self._name} is not in the registry: {restore_command(self._name)} registers it again"
            )
        try:
            read_model_files(self._lake, self._name, version.digest)
        except ModelFilesUnusable as error:
            raise ReleaseRefused(f"{version} of {self._name} cannot go live: {error}") from error

    def _carry_out(self) -> None:
        """Synchronize MLflow and the deploy target with the ledger, and repeat if another process releases in the
        meantime.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                self._targets.registry_state()
            rows = self.ledger.rows()
            if not rows:
                return
            _, latest = fold(rows)[-1]
            problems = self._targets.synchronize(latest, rows)
            if self.ledger.latest() == latest:
                for problem in problems:
                    self._report(problem)
                if not problems:
                    self._targets.mark_complete(latest, rows)
                return

    def _report(self, problem: str) -> None:
        log.warning("%s: %s", self._name, problem)
        self.problems.append(problem)
