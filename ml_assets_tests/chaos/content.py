"""The content of a world, to be compared: tables, registry, ledger, deploy target, reports, events and unfinished
files.
"""

import hashlib
import re
from collections.abc import Collection
from typing import Any

from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.chaos.places import SPEC, ChaosWorld, Place, registry_at
from ml_assets_tests.conftest import ASSETS

# Columns that depend on the run or on the time.
RUN_COLUMNS = {"mlflow_run_id", "actor", "at"}
RUN_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")
# Only a store that is a server has pages to link to.
PAGES = re.compile(r',\s*"url": "http[^"]*"')
TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\"<,]*")
VERSION_NUMBERS = {"version", "champion_version", "challenger_version", "model_version", "from_version", "to_version"}
NUMBERED = re.compile(r"(version[s\"':]* |models:/\w+/)\d+")
# What runs took, and when the figures on the dashboard were read from which files.
MEASURED_TABLES, MEASURED_FILES = {"stage_costs"}, {"index.json"}
RUN_TAGS = {"dagster_run_id", "mlflow.note.content", "mlflow.modelVersions"}
Content = dict[str, dict[str, Any]]


def content(place: Place) -> Content:
    """Collect all that has to be equal after any fault, by part and name.

    Versions are named by their digests, because two runs at once may leave gaps in the numbers.
    """
    world = ChaosWorld(place)
    return {
        **_tables(place),
        "registry": registry(world),
        "deploy target": _files(place, "production"),
        "reports": _files(place, f"lake/{SPEC.name}/reports"),
        "models": _files(place, f"lake/{SPEC.name}/models"),
        "checkpoints": _files(place, f"lake/{SPEC.name}/checkpoints"),
        "events": {name: str(sorted(world.instance.get_materialized_partitions(_key(name)))) for name in ASSETS},
        "half-written files": {key: "there" for key in _unfinished(place)},
    }


def _key(name: str):
    from dagster import AssetKey

    return AssetKey([SPEC.name, name])


def tables(place: Place) -> dict[tuple[str, str], str]:
    """Compute a digest of the rows of each (table, day), in stored order; days without rows are left out."""
    return {
        (part, day): rows
        for part, days in _tables(place).items()
        if part.startswith("rows of")
        for day, rows in days.items()
    }


def _tables(place: Place) -> Content:
    import pyarrow.dataset as ds
    from deltalake import DeltaTable

    root, digests = f"{place.base}/lake/{SPEC.name}", {}
    numbers = {int(version.version): version.tags["model_digest"][:8] for version in _versions(registry_at(place))}
    files = open_objects(root, place.s3)
    names = sorted({key.split("/")[0] for key in files.keys("") if "/_delta_log/" in key and key.endswith(".json")})
    for name in names:
        if name in MEASURED_TABLES:
            continue
        table = DeltaTable(f"{root}/{name}", storage_options=_options(place))
        dataset = table.to_pyarrow_dataset()
        rows: dict[str, list[str]] = {}
        for fragment in sorted(dataset.get_fragments(), key=lambda fragment: fragment.path):
            day = str(ds.get_partition_keys(fragment.partition_expression).get("day", "all"))
            for row in fragment.to_table(dataset.schema).to_pylist():
                values = {
                    column: _without_version_numbers(column, value, numbers)
                    for column, value in row.items()
                    if column not in RUN_COLUMNS
                }
                rows.setdefault(day, []).append(repr(values))
        if "all" in rows:
            rows["all"].sort()
        digests[f"rows of {name}"] = {day: _digest("\n".join(lines).encode()) for day, lines in sorted(rows.items())}
        # Side tables are committed when their rows differ. Predictions are made from the numbers of versions too.
        if name not in ASSETS or name in ("quarantined_data", "predictions"):
            continue
        digests[f"fingerprints of {name}"] = {
            day: table.transaction_version(day)
            for day in (str(SPEC.source.start.replace(day=number)) for number in range(1, 10))
        }
    return digests


def _without_version_numbers(column: str, value: Any, numbers: dict[int, str]) -> Any:
    if column in VERSION_NUMBERS and value is not None:
        return numbers.get(int(value), value)
    return NUMBERED.sub(r"\1N", value) if isinstance(value, str) else value


def _options(place: Place) -> dict[str, str]:
    if place.uri is None:
        return {}
    return {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": place.s3["endpoint_url"], "AWS_ALLOW_HTTP": "true"}


def registry(world: ChaosWorld) -> dict[str, Any]:
    """Collect versions with tags, figures and files, and aliases and tags of the model, without version numbers."""
    client, versions = world.registry.client, _versions(world.registry)
    if not versions:
        return {}
    model = client.get_registered_model(SPEC.name)
    digest = {int(version.version): version.tags["model_digest"] for version in versions}
    content: dict[str, Any] = {
        "versions of each digest": str(
            sorted((value, list(digest.values()).count(value)) for value in set(digest.values()))
        )
    }
    content |= {
        f"alias {alias}": digest.get(int(version), f"no version {version}") for alias, version in model.aliases.items()
    }
    content |= {f"tag {name}": value for name, value in model.tags.items()}
    for version in versions:
        run = client.get_run(version.run_id)
        tags = {name: value for name, value in version.tags.items() if name not in RUN_TAGS}
        files = sorted(artifact.path for artifact in client.list_artifacts(version.run_id))
        model_files = sorted(
            artifact.path for artifact in client.list_logged_model_artifacts(run.outputs.model_outputs[0].model_id)
        )
        content[f"version of {digest[int(version.version)]}"] = str(
            [sorted(tags.items()), run.info.status, sorted(run.data.metrics.items()), files, model_files]
        )
    return content


def _versions(registry: ModelRegistry) -> list[Any]:
    return list(registry.client.search_model_versions(f"name = '{SPEC.name}'", max_results=1000))


def _files(place: Place, folder: str) -> dict[str, str]:
    files = open_objects(f"{place.base}/{folder}", place.s3)
    return {
        key: _digest(_without_run_ids(files.read(key)) if key.endswith((".json", ".html")) else files.read(key))
        for key in files.keys("")
        if key not in MEASURED_FILES
    }


def _without_run_ids(text: bytes) -> bytes:
    return NUMBERED.sub(r"\1N", TIMES.sub("TIME", RUN_IDS.sub("RUN", PAGES.sub("", text.decode())))).encode()


def _unfinished(place: Place) -> list[str]:
    """List unfinished files, which begin with a dot."""
    keys = []
    for folder in ("lake", "landing", "production"):
        files = open_objects(f"{place.base}/{folder}", place.s3)
        keys += [key for key in files.keys("") if key.rsplit("/", 1)[-1].startswith(".")]
    return keys


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def differences(wanted: Content, final: Content, besides: Collection[str] = ()) -> list[str]:
    """Describe each difference in a line, except those in the parts `besides`."""
    lines = []
    for part in sorted((wanted.keys() | final.keys()) - set(besides)):
        undisturbed, disturbed = wanted.get(part, {}), final.get(part, {})
        for name in sorted(undisturbed.keys() | disturbed.keys()):
            if undisturbed.get(name) != disturbed.get(name):
                lines.append(
                    f"{part}, {name}: {undisturbed.get(name, 'nothing')} undisturbed, "
                    f"{disturbed.get(name, 'nothing')} here"
                )
    return lines
