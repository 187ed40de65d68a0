"""A canary with labels in separate files is compared on the labels known on the day of the decision."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from ml_assets.core.model_spec.file_feed import labels_feed
from ml_assets.core.tables.schemas import row_schema
from ml_assets.pipeline.engine.day_state import is_current
from ml_assets_tests.pipeline.live_cases import LiveLake, rows_with_features, spec_with
from ml_assets_tests.pipeline.world import day

SPEC = spec_with(labels={"files": "labels/{day}/*", "key": ["id"], "known_at": "confirmed"})
LAST = 16


class LabelledLake(LiveLake):
    """A lake in which the labels of a day are delivered some days later."""

    def deliver(self, number: int, labelled: int, inverted: bool = False) -> None:
        """Deliver on day `number` the labels of day `labelled`, each replaced by the other one if `inverted`."""
        feed = labels_feed(self.spec)
        assert feed is not None
        table = self.lake.table(self.spec.name, feed.validated, row_schema(feed))
        rows = rows_with_features(day(labelled))
        labels = pd.DataFrame(
            {
                "id": rows["id"],
                "label": 1 - rows["label"] if inverted else rows["label"],
                "known_at": pd.Timestamp(day(number), tz="UTC"),
            }
        )
        table.refresh()
        delivered = pa.Table.from_pandas(labels, row_schema(feed), preserve_index=False)
        table.commit({day(number): delivered}, {day(number): 1000 * number + 10 * labelled + inverted})


@pytest.fixture
def live(tmp_path: Path) -> LabelledLake:
    """Deliver labels three days after their rows, one day more than `label_delay`."""
    (tmp_path / "landing").mkdir()
    live = LabelledLake(tmp_path, SPEC)
    live.put_features(range(1, LAST + 1))
    for number in range(4, LAST + 1):
        live.deliver(number, number - 3)
    live.put_model("first", 1)
    live.put_model("better", 2)
    return live


def test_only_labels_delivered_by_the_day_of_the_decision_count(live):
    live.decide(1, LAST)
    assert live.story() == [
        (1, "promote", 1, None, 0),
        (2, "start", 1, 2, 20),
        (7, "advance", 1, 2, 50),
        (12, "promote", 2, None, 0),
    ]
    assert live.row(6)["labels_through"] == day(4)
    # The labels of day 4, the last of days 2 to 4, come a day late.
    assert live.row(6)["step_days"] == 2


def test_a_corrected_label_makes_only_the_newest_day_stale(live):
    live.decide(1, 6)
    live.deliver(6, 3, inverted=True)
    live.open()
    assert [is_current(live.deployment, day(number)) for number in (5, 6)] == [True, False]
    outcomes = live.decide(5, 6)
    assert [outcome.computed for outcome in outcomes] == [False, True]
