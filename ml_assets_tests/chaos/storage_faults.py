"""Damage at rest: bits that flip in the lake, the models and the deploy target, and state files that are lost."""

import random
import shutil
from pathlib import Path

from ml_assets.core.operations.failures.damaged_state import STATE_FILES
from ml_assets_tests.chaos.command_faults import start_command
from ml_assets_tests.chaos.instance_faults import LONGEST, MODEL, attributes, differences, run_command
from ml_assets_tests.chaos.kills import Report
from ml_assets_tests.resources.probes.state_damage import (
    StateWorld,
    carry_out_remedy,
    garbage,
    gone,
    write_manifest_again,
)
from ml_assets_tests.support.bit_flips import flipped
from ml_assets_tests.support.lake_content import digests
from ml_assets_tests.support.local_instance import LocalInstance

FLIPS = 12


def flip_bits(root: Path, demo: LocalInstance, draw: random.Random) -> Report:
    """Flip a bit in some files of rows and of models, let the doctor find all of them, and carry out its remedies."""
    report = Report("bits flipped in rows and models")
    copied = copy_of_demo(demo, root)
    tables = [copied.lake / MODEL / name for name in ("raw_data", "validated_data", "features", "trained_model")]
    rows = [path for table in tables for path in table.glob("day=*/*.parquet")]
    models = [*(copied.lake / MODEL / "models").rglob("*.ubj"), *(copied.root / "production").rglob("*.ubj")]
    files = sorted({*draw.sample(sorted(rows), FLIPS - 2), *draw.sample(sorted(models), 2)})
    for file in files:
        content = file.read_bytes()
        file.write_bytes(flipped(content, draw.randrange(len(content) * 8)))
    report.kills = [str(file.relative_to(copied.root)) for file in files]
    scrub = start_command(copied, "doctor", "--scrub")
    printed, _ = scrub.communicate(timeout=LONGEST)
    # Long lines are not wrapped.
    report.wrong += [f"the doctor does not name {file.name}" for file in files if file.name not in printed]
    if scrub.returncode != 1:
        report.wrong.append(f"the doctor ended with status {scrub.returncode}: {printed[-800:]}")
    report.wrong += run_command(copied, "repair", MODEL, "--damaged")
    report.wrong += run_command(copied, "restore", MODEL)
    report.wrong += run_command(copied, "doctor", "--scrub")
    report.wrong += differences(digests(demo.lake, MODEL), digests(copied.lake, MODEL))
    return report


def lose_state(root: Path) -> Report:
    """Replace each state file by other bytes; it has to be named with what is lost, and the remedy has to work."""
    report = Report("state files damaged")
    whole = root / "whole"
    StateWorld(whole).create()
    for kind in STATE_FILES:
        shutil.copytree(whole, root / kind)
        world = StateWorld(root / kind)
        (gone if kind == "removed_corrections" else garbage)(world.files()[kind])
        message = _message(world, kind)
        if message is None or STATE_FILES[kind].lost not in message:
            report.wrong.append(f"{kind}: {message}")
            continue
        report.messages.append(message)
        if kind == "deploy_manifest":
            write_manifest_again(world)
        else:
            carry_out_remedy(message)
        if problem := _message(world, kind):
            report.wrong.append(f"{kind}, after its remedy: {problem}")
    return report


def copy_of_demo(demo: LocalInstance, root: Path) -> LocalInstance:
    """Copy the places of an instance to a new folder."""
    copied = LocalInstance(root, [attributes({})])
    for name in ("landing", "lake", "production", "mlflow.db", "mlartifacts"):
        source, target = demo.root / name, copied.root / name
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy2(source, target)
    return copied


def _message(world: StateWorld, kind: str) -> str | None:
    try:
        return world.use(kind)
    except Exception as error:
        return str(error)
