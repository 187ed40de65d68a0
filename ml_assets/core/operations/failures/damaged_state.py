"""Damaged or missing state: each file, its content, what is lost with it, and the remedy."""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote


class DamagedState(Exception):
    """A state file is damaged or missing. The message names the file, what is lost and the remedy."""


@dataclass(frozen=True)
class StateFile:
    """A state file.

    Attributes:
        where: its location, for the documentation.
        holds: its content.
        lost: what is lost or stops without it.
        remedy: what to do; may contain {quoted} (the path for a shell), {move} (the command that moves the file or its
            table away, or accepts that it is gone), {model} and {note} (the path of the note of the file for a shell).
    """

    where: str
    holds: str
    lost: str
    remedy: str

    def explain(self, path: object, reason: str, model: str = "MODEL", table: str = "", note: object = "") -> str:
        """Write the message about a file.

        Args:
            path: the file.
            reason: the reason why it cannot be used, such as "file is not a database"; `GONE` when it is missing.
            model: name of the model that it belongs to.
            table: the table that it belongs to.
            note: another file, which records that this file existed.
        """
        state = GONE if reason == GONE else f"is damaged ({reason})"
        target = table or str(path)
        is_gone = reason == GONE and not table
        move = f"accept the loss (`touch {quote(f'{target}{MOVED_AWAY}')}`)" if is_gone else move_away(target)
        remedy = self.remedy.format(quoted=quote(str(path)), move=move, model=quote(model), note=quote(str(note)))
        return f"{path} {state}: {self.lost}. {remedy}"

    def describe_remedy(self, table: str = "FILE", model: str = "MODEL") -> str:
        """Write the remedy: for a table, or by default for the documentation."""
        return self.remedy.format(quoted="FILE", move=move_away(table), model=quote(model), note="NOTE")


def move_away(target: str) -> str:
    """Write the command that moves a file or the folder of a table away."""
    tool = "aws s3 mv --recursive" if target.startswith("s3://") else "mv"
    return f"move it away (`{tool} {quote(target)} {quote(f'{target}{MOVED_AWAY}')}`)"


GONE = "is gone"
MOVED_AWAY = ".damaged"
"""Suffix of the name of a file or table that was moved away because somebody accepted its loss."""
FROM_HOME = "Restore it from a backup of DAGSTER_HOME (docs/how-to/backup.md), or {move}: "

TABLE = StateFile(
    "`<lake>/<model>/<table>/_delta_log`",
    "the commits of a table, with the fingerprint of each day",
    "the days of the table cannot be read",
    "Restore it from the versions of the bucket or a backup of the lake, the newest files first. A checkpoint can be "
    "removed instead, together with _last_checkpoint: the commits in the same folder contain everything in it. "
    "Without one {move}: `ml-assets run {model}` or a backfill recomputes its days",
)
CORRECTIONS = StateFile(
    "`<lake>/<model>/corrections/<day>/<number>-<sha256>.jsonl`",
    "rows that people corrected",
    "its corrected rows differ from the applied ones, which are stored nowhere else",
    "Restore it from the versions of the bucket or a backup of the lake. Without one delete it (`rm {quoted}`), and "
    "apply the file with the corrected rows again (`ml-assets repair {model} --file FILE`)",
)
REMOVED_CORRECTIONS = StateFile(
    "`<lake>/<model>/corrections/<day>/<number>-<sha256>.jsonl`, when `correction_notes` still has its name",
    "rows that people corrected",
    "the rows of its day are uncorrected once the day is recomputed",
    "Restore it from the versions of the bucket or a backup of the lake, or apply the file with the corrected rows "
    "again (`ml-assets repair {model} --file FILE`). If it was removed on purpose, remove its note (`rm {note}`)",
)
LEDGER = StateFile(
    "`<lake>/<model>/release_ledger/_delta_log`, and the files of rows beside it",
    "the releases: who moved which alias, when and why",
    "until it is repaired, nothing is released, and the live versions keep scoring",
    "Restore it from the versions of the bucket or a backup of the lake. Without one "
    "{move}: `ml-assets restore {model}` begins a new ledger from the live versions in MLflow",
)
MARKER = StateFile(
    "`<lake>/<model>/unfinished_runs/<stage>/<run>.json`",
    "the days that a run has not finished",
    "the days that this run left unfinished are not known",
    "Delete it (`rm {quoted}`) and repeat the command; days that are not up to date are recomputed",
)
MLFLOW = StateFile(
    "`data/mlflow.db`",
    "MLflow's experiments, runs, registered models, versions and aliases",
    "nothing can be registered or tracked, and the history of experiments is lost without a backup",
    "Restore it from a backup (docs/how-to/backup.md), or {move}: `ml-assets restore {model}` creates a "
    "new store and registers the live versions again",
)
RUNS = StateFile(
    "`DAGSTER_HOME/history/runs.db`",
    "Dagster's runs, backfills and heartbeats of daemons",
    "Dagster does not start, and the list of runs is lost without a backup; the lake is not affected",
    FROM_HOME + "Dagster creates a new one",
)
EVENT_INDEX = StateFile(
    "`DAGSTER_HOME/history/runs/index.db`",
    "Dagster's assets, materializations of partitions and pools",
    "Dagster does not know which partitions are materialized; the lake is not affected",
    FROM_HOME + "Dagster creates a new one, and a backfill over all days, which recomputes nothing, fills it",
)
SCHEDULES = StateFile(
    "`DAGSTER_HOME/schedules/schedules.db`",
    "the ticks, cursors and switches of schedules and sensors",
    "Dagster does not start, and switches that were set by hand are lost without a backup",
    FROM_HOME + "Dagster creates a new one, and schedules and sensors have the state declared in the code",
)
RUN_EVENTS = StateFile(
    "`DAGSTER_HOME/history/runs/<run>.db`",
    "the events of one run",
    "the page of this run does not open; other runs are not affected",
    FROM_HOME + "the run stays in the list without events",
)
NOTIFICATIONS = StateFile(
    "`DAGSTER_HOME/notifications.db`",
    "notifications and their pending deliveries",
    "failures are not notified, and notifications of the past are lost without a backup",
    FROM_HOME + "the next notification creates a new one",
)
INSTANCE_SETTINGS = StateFile(
    "`DAGSTER_HOME/dagster.yaml`",
    "the settings of the Dagster instance",
    "no Dagster process starts",
    "Correct it, or remove it (`rm {quoted}`): `ml-assets instance` links the settings of ml_assets again",
)
DEPLOY_MANIFEST = StateFile(
    "`<deploy target>/<model>/metadata.json`",
    "the name and the files of the champion, for clients that load it from the deploy target",
    "production cannot load the champion from the deploy target",
    "`ml-assets releases {model}` publishes the champion again",
)

STATE_FILES: Mapping[str, StateFile] = {
    "table": TABLE,
    "corrections": CORRECTIONS,
    "removed_corrections": REMOVED_CORRECTIONS,
    "release_ledger": LEDGER,
    "run_marker": MARKER,
    "mlflow": MLFLOW,
    "runs": RUNS,
    "event_index": EVENT_INDEX,
    "run_events": RUN_EVENTS,
    "schedules": SCHEDULES,
    "notifications": NOTIFICATIONS,
    "dagster_yaml": INSTANCE_SETTINGS,
    "deploy_manifest": DEPLOY_MANIFEST,
}
"""Every state file by name, in the order of the documentation."""
