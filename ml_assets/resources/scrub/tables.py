"""Search for damage in every file of every table of the lake, one file at a time. Nothing is changed."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ml_assets.core.operations.failures.damaged_state import LEDGER as LEDGER_FILE
from ml_assets.core.operations.failures.damaged_state import MOVED_AWAY, move_away
from ml_assets.core.release.release_differences import explain_lost_ledger
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.resources.lake.day_files import DamagedFile, files_transaction, read_rows
from ml_assets.resources.lake.delta_transactions import Transactions
from ml_assets.resources.lake.errors import DamagedDay, LakeError, is_damage, readable_log
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table_files import list_files
from ml_assets.resources.lake.table_folder import TableFolder
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.release.ledger import LEDGER, Ledger
from ml_assets.resources.scrub.damage import Damage

if TYPE_CHECKING:
    from deltalake import DeltaTable

LOG = "_delta_log/"
COMMIT_REMEDY = "restore it from the versions of the bucket or a backup of the lake (docs/how-to/backup.md)"
CHECKPOINT_REMEDY = "remove it together with _last_checkpoint: the commits contain everything that it contains"


def list_tables(lake: Lake) -> list[tuple[str, str]]:
    """Return model and asset of every table of the lake, sorted, without tables that somebody moved away."""
    parts = (key.split("/") for key in lake.files.keys("") if f"/{LOG}" in key)
    return sorted({(part[0], part[1]) for part in parts if len(part) == 4 and not part[1].endswith(MOVED_AWAY)})


def scrub_table(lake: Lake, model: str, asset: str) -> Iterator[Damage | None]:
    """Read the log and the live files of a table; yield the damage of each file, None if it is intact.

    Args:
        lake: the lake.
        model: name of the model.
        asset: name of the table.
    """
    from deltalake import DeltaTable

    folder, (uri, options) = TableFolder(lake.files, f"{model}/{asset}"), lake.location(model, asset)
    yield from _scrub_log(folder, uri, model, asset)
    try:
        with readable_log(uri):
            delta = DeltaTable(uri, storage_options=options)
        if asset == LEDGER:
            yield from _scrub_ledger(lake, model, delta, folder, uri)
        elif not delta.metadata().partition_columns:
            yield from _scrub_measurements(model, asset, delta, folder, uri)
        else:
            yield from _scrub_days(model, asset, delta, folder, uri)
    except LakeError as error:
        yield Damage(f"{uri}/{LOG}", str(error), f"the list of the files of {model}/{asset}", COMMIT_REMEDY)


def scrub_newest_release(lake: Lake, registry: ModelRegistry, target: DeployTarget, model: str) -> Damage | None:
    """Compare the newest release of the ledger with the releases that MLflow and the deploy target carried out.

    If the newest commit vanished completely, the rest of the ledger looks intact.
    """
    try:
        latest = Ledger(lake, model).latest()
    except LakeError:
        # The scrub of the table reports it.
        return None
    state = registry.release_state(model)
    problem = explain_lost_ledger(model, latest, state, target.metadata(model))
    if problem is None:
        return None
    uri = f"{lake.uri}/{model}/{LEDGER}"
    return Damage(uri, problem, f"the newest releases of {model}", LEDGER_FILE.describe_remedy(uri, model))


def _scrub_log(folder: TableFolder, uri: str, model: str, asset: str) -> Iterator[Damage | None]:
    from ml_assets.core.tables.arrow_memory import open_content

    root = f"{folder.key}/{LOG}"
    for key in folder.files.keys(root):
        name, is_checkpoint = key.removeprefix(root), key.endswith(".parquet")
        try:
            content = folder.files.read(key)
            if is_checkpoint:
                import pyarrow.parquet as pq

                pq.ParquetFile(open_content(content)).read(use_threads=False)
            elif name.endswith(".json") and not [json.loads(line) for line in content.splitlines()]:
                raise ValueError("it is empty")
            yield None
        except (OSError, ValueError) as error:
            lost = "nothing" if is_checkpoint else f"which days of {model}/{asset} it committed"
            remedy = LEDGER_FILE.describe_remedy(uri, model) if asset == LEDGER else COMMIT_REMEDY
            yield Damage(f"{uri}/{LOG}{name}", str(error), lost, CHECKPOINT_REMEDY if is_checkpoint else remedy)


def _scrub_days(model: str, asset: str, delta: "DeltaTable", folder: TableFolder, uri: str) -> Iterator[Damage | None]:
    files = list_files(delta, uri, folder.read)
    transactions = Transactions(delta, folder.read, uri)
    remedy = f"`ml-assets repair {model} --damaged` makes the day again from its inputs"
    days = {day for day, fingerprint in transactions.days().items() if fingerprint != EXPIRED} | set(files.paths)
    for day in sorted(days):
        lost = f"the rows of {day} in {model}/{asset}"
        try:
            if transactions.get(day.isoformat()) != EXPIRED:
                files.check_list(day, transactions.get(files_transaction(day)))
        except DamagedDay as damage:
            yield Damage(f"{uri}/{damage.path}", damage.reason, lost, remedy, day)
            continue
        for path in files.paths.get(day, []):
            try:
                files.read_path(path, day)
                yield None
            except DamagedDay as damage:
                yield Damage(f"{uri}/{path}", damage.reason, lost, remedy, day)


def _scrub_measurements(
    model: str, asset: str, delta: "DeltaTable", folder: TableFolder, uri: str
) -> Iterator[Damage | None]:
    lost = f"measurements in {model}/{asset}"
    remedy = f"only estimates read the table, and they skip the file; {move_away(uri)} to start over"
    for path in _paths(delta):
        reason = _file_problem(folder, path)
        yield None if reason is None else Damage(f"{uri}/{path}", reason, lost, remedy)


def _scrub_ledger(
    lake: Lake, model: str, delta: "DeltaTable", folder: TableFolder, uri: str
) -> Iterator[Damage | None]:
    is_whole, remedy = True, LEDGER_FILE.describe_remedy(uri, model)
    for path in _paths(delta):
        reason = _file_problem(folder, path)
        is_whole = is_whole and reason is None
        yield None if reason is None else Damage(f"{uri}/{path}", reason, f"a release of {model}", remedy)
    if is_whole:
        # Finds a release that is in none of the files.
        Ledger(lake, model).rows()


def _paths(delta: "DeltaTable") -> list[str]:
    import pyarrow as pa

    return pa.table(delta.get_add_actions(flatten=True))["path"].to_pylist()


def _file_problem(folder: TableFolder, path: str) -> str | None:
    """Return how a file differs from what was written; None if it does not."""
    try:
        read_rows(folder.read(path), path, None, None)
    except (DamagedFile, OSError) as error:
        if isinstance(error, OSError) and not is_damage(error):
            raise
        return "it is gone" if isinstance(error, FileNotFoundError) else str(error)
    return None
