"""One pass of retention: removes old days, models and replaced files, but nothing that a registered version or an alias
needs.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from ml_assets.core.counts import count
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.operations.retention import (
    ModelVersion,
    days_to_expire,
    digests_to_keep,
    model_days_to_keep,
    unreferenced,
    versions_to_remove,
    with_live_versions,
)
from ml_assets.pipeline.asset_names import (
    CHAMPION_COMPARISON,
    ENTRY,
    EVALUATION,
    EVALUATION_METRICS,
    MODEL,
    RAW,
    SCORE_PROFILES,
    SEARCH,
    VALIDATED,
)
from ml_assets.pipeline.graph.stages import Stages
from ml_assets.pipeline.retention.provenance_needs import ProvenanceNeeds
from ml_assets.pipeline.retention.result import Removal, folders_to_delete
from ml_assets.pipeline.retention.tables import day_tables
from ml_assets.pipeline.steps.report_store import Reports
from ml_assets.pipeline.training.checkpoints import remove_abandoned_checkpoints
from ml_assets.pipeline.training.search_stage import read_studies, searches_key
from ml_assets.pipeline.validation.corrections import Corrections
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import artifacts_key
from ml_assets.resources.lake.table import Table
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.ledger import Ledger
from ml_assets.resources.storage.correction_notes import CORRECTIONS
from ml_assets.resources.storage.segments import FOLDER, Segments, remove_segments

MODEL_TABLES = (ENTRY, EVALUATION, EVALUATION_METRICS, CHAMPION_COMPARISON, SCORE_PROFILES, MODEL, SEARCH)
MAX_NAMED_VERSIONS = 5


class Retention:
    """One pass of retention over lake and registry. If it is killed at any point, the next pass removes the rest.

    Versions of old models are deleted first, each after its aliases are read once more, then their rows, then
    unreferenced files. After that the provenance of the remaining versions is read, and only then are days removed and
    replaced files deleted.

    Args:
        spec: the model's specification.
        stages: its stages.
        lake: the lake.
        registry: the registry.
        now: the time, with a zone.
        run_id: the run that removes data, recorded in the commits.
        dry_run: report what would be removed, and remove nothing.
    """

    def __init__(
        self,
        spec: ModelSpec,
        stages: Stages,
        lake: Lake,
        registry: ModelRegistry,
        now: datetime,
        run_id: str,
        dry_run: bool,
    ):
        self.spec = spec
        self.lake = lake
        self.registry = registry
        self.now = now
        self.run_id = run_id
        self.tables: dict[str, Table] = {name: table for stage in stages for name, table in stage.tables.items()}
        self.today = now.astimezone(ZoneInfo(spec.source.time_zone)).date()
        self.removal = Removal(dry_run)
        self._needs = ProvenanceNeeds(lake, spec.name)

    def apply(self) -> Removal:
        """Remove everything that the policy does not keep.

        Raises:
            ProvenanceUnreadable: when the provenance of a version that stays cannot be read; before anything is
                removed.
            UnknownVersion: when a version does not name its model; before anything is removed.
            MlflowUnavailable: when the registry cannot be reached; before anything is removed.
            deltalake.exceptions.CommitFailedError: when another process commits an old day at the same time; a later
                pass continues.
        """
        for table in self.tables.values():
            table.refresh()
        staying = self._remove_versions()
        if self.spec.retention.models is not None:
            self._remove_models(staying, self.today - self.spec.retention.models)
        if self.spec.retention.days is not None:
            self._remove_days(staying, self.today - self.spec.retention.days)
        if self.spec.retention.replaced_files is not None:
            self._delete_replaced_files(staying, self.now - self.spec.retention.replaced_files)
        self._count(
            "checkpoints", remove_abandoned_checkpoints(self.lake, self.spec.name, self.now, self.removal.dry_run)
        )
        return self.removal

    def _registered(self) -> list[ModelVersion]:
        """Return the versions in the registry with their aliases, and those that only the release ledger still has.

        Versions that are live according to the ledger stay, even if somebody deleted their alias or version in MLflow.
        """
        from ml_assets.resources.registry.cleanup import registered_versions

        live = Ledger(self.lake, self.spec.name).latest().aliases
        return with_live_versions(registered_versions(self.registry.client, self.spec.name), live)

    def _models(self) -> dict[date, str | None]:
        """Return the digest of the model of each day in the lake."""
        table = self.tables[MODEL]
        rows = table.read(sorted(table.row_counts()), ["day", "model_digest"])
        return dict(zip(rows["day"].to_pylist(), rows["model_digest"].to_pylist(), strict=True))

    def _remove_versions(self) -> list[ModelVersion]:
        """Remove the versions of old models; return the remaining versions, whose provenance can be read."""
        from ml_assets.resources.registry.cleanup import delete_version

        versions, age = self._registered(), self.spec.retention.models
        going = versions_to_remove(versions, self._models(), self.today - age) if age is not None else []
        staying = [version for version in versions if version not in going]
        self._needs.read(staying)
        if self.removal.dry_run:
            self.removal.versions = going
            return staying
        self.removal.versions = [
            version for version in going if delete_version(self.registry.client, self.spec.name, version.number)
        ]
        staying = self._registered() if going else staying
        self._needs.read(staying)
        return staying

    def _remove_models(self, staying: list[ModelVersion], oldest: date) -> None:
        models = self._models()
        kept_days, kept_digests = model_days_to_keep(staying, models, oldest), digests_to_keep(staying, models, oldest)
        for version in staying:
            if version.day < oldest:
                why = (
                    "an alias points to it"
                    if version.aliases
                    else "it shares a day or its bytes with a model that stays"
                )
                self.removal.kept.append(f"{version}: {why}")
        for name in (name for name in MODEL_TABLES if name in self.tables):
            self._expire(name, days_to_expire(self.tables[name].row_counts(), kept_days, oldest))
        registered = {version.digest for version in staying}
        self.removal.models = self._delete_folders(
            "models", artifacts_key(self.spec.name, ""), kept_digests | registered
        )
        if SEARCH in self.tables:
            self._delete_folders("searches", searches_key(self.spec.name), read_studies(self.tables[SEARCH]))
        self._delete_logged_models(registered)

    def _delete_folders(self, name: str, root: str, referenced: set[str]) -> list[str]:
        folders = folders_to_delete(self.lake.files.sizes(root), root, referenced, self.now)
        files = [file for folder_files in folders.values() for file in folder_files]
        self._count(name, [file.size for file in files])
        for file in [] if self.removal.dry_run else files:
            self.lake.files.delete(file.key)
        return list(folders)

    def _delete_logged_models(self, registered: set[str]) -> None:
        from ml_assets.resources.registry.cleanup import delete_logged_model, logged_at, logged_models

        by_digest = logged_models(self.registry.client, self.spec.name)
        going = unreferenced(
            {digest: max(logged_at(model) for model in models) for digest, models in by_digest.items()},
            registered,
            self.now,
        )
        for model in (model for digest in going for model in by_digest[digest]):
            self.removal.logged_models += 1
            if not self.removal.dry_run:
                delete_logged_model(self.registry.client, model)

    def _remove_days(self, staying: list[ModelVersion], oldest: date) -> None:
        needs = self._needs.read(staying)
        since = Ledger(self.lake, self.spec.name).latest().canary_since
        if since is not None and since < oldest:
            self.removal.kept.append(f"days from {since} on: the canary that began then is decided on their rows")
            oldest = since
        for name, named in day_tables(self.spec).items():
            row_counts = self.tables[name].row_counts()
            needed = {day for _, tables in needs for day in tables.get(named, ())}
            self._expire(name, days_to_expire(row_counts, needed, oldest))
            if days := sorted(day for day in needed if day < oldest and day in row_counts):
                readers = [str(version) for version, tables in needs if set(days) & set(tables.get(named, ()))]
                named = ", ".join(readers[:MAX_NAMED_VERSIONS])
                more = f" and {len(readers) - MAX_NAMED_VERSIONS} more" if len(readers) > MAX_NAMED_VERSIONS else ""
                self.removal.kept.append(
                    f"{name}: {count(len(days), 'day')}, {days[0]} to {days[-1]}, read by {named}{more}"
                )
        self._remove_reports({day for _, tables in needs for day in tables.get(VALIDATED, ())}, oldest)
        self._remove_corrections(oldest)
        if self.spec.deployment.capture:
            sizes = remove_segments(Segments(self.lake.files, self.spec.name), oldest, self.removal.dry_run)
            self._count(FOLDER, sizes)

    def _remove_reports(self, needed: set[date], oldest: date) -> None:
        """Remove reports together with the rows that they show."""
        keys = Reports(self.spec.name, self.lake).files()
        going = set(days_to_expire({day for day, _ in keys}, needed, oldest))
        self.removal.days["reports"] = sorted(going)
        if not self.removal.dry_run:
            for key in (key for day, key in keys if day in going):
                self.lake.files.delete(key)

    def _remove_corrections(self, oldest: date) -> None:
        corrections, raw = Corrections(self.lake, rows_feed(self.spec)), self.tables[RAW]
        # The table decides, so that the next pass completes a pass that was interrupted after it removed the rows.
        going = [
            day
            for day in corrections.days()
            if day < oldest and (day in self.removal.days[RAW] or not raw.is_committed(day))
        ]
        if going:
            self._count(CORRECTIONS, corrections.remove(going, self.removal.dry_run))

    def _expire(self, name: str, days: list[date]) -> None:
        self.removal.days[name] = days
        if days and not self.removal.dry_run:
            self.tables[name].expire(days, {"dagster_run_id": self.run_id})

    def _delete_replaced_files(self, staying: list[ModelVersion], before: datetime) -> None:
        from ml_assets.resources.lake.vacuum import CannotVacuum, replaced_files

        needs = self._needs.read(staying)
        for name, table in self.tables.items():
            folder = f"{self.spec.name}/{name}/"
            sizes = {file.key.removeprefix(folder): file.size for file in self.lake.files.sizes(folder)}
            needed = {need for _, tables in needs for need in tables.get(name, {}).items()}
            try:
                deletable = [key for key in replaced_files(table, before, needed) if key in sizes]
            except CannotVacuum as error:
                self.removal.not_vacuumed[name] = str(error)
                continue
            self._count(name, [sizes[key] for key in deletable])
            if not self.removal.dry_run:
                for key in deletable:
                    self.lake.files.delete(f"{folder}{key}")

    def _count(self, name: str, sizes: list[int]) -> None:
        self.removal.files[name] = len(sizes)
        self.removal.bytes[name] = sum(sizes)
