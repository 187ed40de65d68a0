"""The ledger keeps every release and its state over time; of several concurrent releases one wins."""

import re
from contextlib import ExitStack
from datetime import date

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from ml_assets.core.release.release_state import Release, advance, live_on, promote, roll_back, start
from ml_assets.core.tables.release_schemas import LEDGER_ROWS_SCHEMA
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.release.ledger import LEDGER, Ledger, LedgerConflict
from ml_assets_tests.resources.release.release_cases import DAY, FIRST, SECOND, THIRD, move, release_at_once
from ml_assets_tests.support.bit_flips import damaged, draw_bits, flipped
from ml_assets_tests.support.forkserver import CONTEXT

pytestmark = pytest.mark.clock

LATER = date(2025, 3, 14)


def released(ledger: Ledger) -> Release:
    """Record a champion, a canary and its next step, and return the state."""
    state = Release()
    begun = promote(state, FIRST)
    ledger.append(state, move("promote", begun))
    ledger.append(begun, move("start", canary := start(begun, SECOND, 5, DAY)))
    ledger.append(canary, move("advance", grown := advance(canary, 25, LATER), LATER, roc_auc_difference=0.01))
    return grown


def test_every_process_reads_what_was_live_when(lake):
    state = released(Ledger(lake, "small"))
    elsewhere = Ledger(lake, "small")
    assert elsewhere.latest() == state
    assert [(day, release.percent) for day, release in elsewhere.releases()] == [(DAY, 0), (DAY, 5), (LATER, 25)]
    assert live_on(elsewhere.releases(), DAY).percent == 5
    assert [(recorded.action, recorded.reason, recorded.metrics) for recorded in elsewhere.moves()][-1] == (
        "advance",
        "a reason",
        {"roc_auc_difference": 0.01},
    )
    assert Ledger(lake, "other").latest() == Release()


@pytest.mark.slow_on_s3
def test_the_ledger_reads_releases_that_other_processes_made_since(lake):
    first, second = Ledger(lake, "small"), Ledger(lake, "small")
    assert (first.latest(), first.releases(), first.moves(), first.rows()) == (Release(), [], [], [])
    state = released(second)
    assert first.latest() == state
    second.append(state, move("rollback", back := roll_back(state)))
    assert first.latest() == back
    assert len(first.rows()) == len(second.rows()) == 4


@pytest.mark.slow_on_s3
def test_a_release_that_is_based_on_what_is_no_longer_live_is_refused(lake):
    ledger = Ledger(lake, "small")
    state = released(ledger)
    Ledger(lake, "small").append(state, move("rollback", roll_back(state)))
    with pytest.raises(LedgerConflict, match="small: another release was made since release 3"):
        ledger.append(state, move("promote", promote(state, THIRD)))
    with pytest.raises(LedgerConflict, match="since release 0"):
        ledger.append(Release(), move("promote", promote(Release(), THIRD)))
    assert [recorded.action for recorded in ledger.moves()] == ["promote", "start", "advance", "rollback"]


def test_of_two_processes_that_read_the_same_state_one_wins(lake, monkeypatch):
    """Let another process release after this one has read the ledger and before it commits."""
    ledger = Ledger(lake, "small")
    state = released(ledger)
    commit = Ledger._commit

    def late(self, *args):
        monkeypatch.setattr(Ledger, "_commit", commit)
        Ledger(lake, "small").append(state, move("promote", promote(state, SECOND), actor="the other"))
        commit(self, *args)

    monkeypatch.setattr(Ledger, "_commit", late)
    with pytest.raises(LedgerConflict):
        ledger.append(state, move("rollback", roll_back(state)))
    assert [recorded.actor for recorded in ledger.moves()][3:] == ["the other"]


def test_a_commit_whose_response_was_lost_is_no_conflict(lake, monkeypatch):
    from deltalake.exceptions import CommitFailedError

    commit = DeltaTable.create_write_transaction

    def commit_and_forget(*args, **arguments):
        commit(*args, **arguments)
        raise CommitFailedError("0")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", commit_and_forget)
    ledger = Ledger(lake, "small")
    ledger.append(Release(), move("promote", promote(Release(), FIRST)))
    assert ledger.latest().champion == FIRST


@pytest.mark.slow_on_s3
@pytest.mark.parametrize("mode", ["overwrite", "delete"])
def test_nothing_is_ever_taken_away(lake, mode):
    released(Ledger(lake, "small"))
    uri, options = lake.location("small", LEDGER)
    table = DeltaTable(uri, storage_options=options)
    with pytest.raises(Exception, match="append-only"):
        table.delete() if mode == "delete" else write_deltalake(
            table, LEDGER_ROWS_SCHEMA.empty_table(), mode="overwrite"
        )
    assert pa.table(DeltaTable(uri, storage_options=options).to_pyarrow_table()).num_rows == 3


@pytest.mark.parametrize("lake", ["directory", pytest.param("s3", marks=pytest.mark.slow)], indirect=True)
def test_of_processes_that_release_concurrently_exactly_one_wins_each_time(lake):
    processes, rounds = 3, 4
    start_together, results = CONTEXT.Barrier(processes), CONTEXT.Queue()
    with ExitStack() as stack:
        for number in range(processes):
            args = (lake.uri, lake.s3, f"process {number}", rounds, start_together, results)
            process = CONTEXT.Process(target=release_at_once, args=args)
            process.start()
            stack.callback(process.join)
        done = [results.get(timeout=60) for _ in range(processes)]
    assert not [result for result in done if isinstance(result, str)]
    winners = {release: name for name, won in done for release in won}
    assert sorted(release for _, won in done for release in won) == list(range(1, rounds + 1))
    assert [(recorded.after.number, recorded.actor) for recorded in Ledger(lake, "small").moves()] == sorted(
        winners.items()
    )


def test_no_bit_of_a_file_or_of_the_log_gives_other_releases(tmp_path):
    lake = Lake(uri=str(tmp_path))
    released(Ledger(lake, "small"))
    expected = Ledger(lake, "small").rows()
    folder = tmp_path / "small" / LEDGER
    for file in [sorted(folder.glob("*.parquet"))[0], *sorted((folder / "_delta_log").glob("*[13].json"))]:
        content, outcomes = file.read_bytes(), []
        for bit in draw_bits(len(content), 50, seed=17):
            with damaged(file, flipped(content, bit)):
                try:
                    outcomes.append(Ledger(lake, "small").rows())
                except LakeError as error:
                    outcomes.append(str(error))
        assert all(
            rows == expected or re.search(r"small/release_ledger/.*(is|file of) .*Restore", rows) for rows in outcomes
        )
        assert len(outcomes) > outcomes.count(expected)
    with damaged(file, file.read_bytes()):
        file.write_bytes(b"")
        with pytest.raises(LakeError, match="nothing is released"):
            Ledger(lake, "small").rows()
