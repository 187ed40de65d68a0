"""Single times are the same whole numbers as columns of times."""

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.features.key_index import microseconds
from ml_assets.core.serving.timestamps import since_epoch

pytestmark = pytest.mark.clock


@given(st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1)), st.integers(-14, 14))
def test_a_time_is_what_a_column_of_it_is_whatever_its_zone(time, hours):
    moment = time.replace(tzinfo=timezone(timedelta(hours=hours)))
    column = pd.Series([moment.astimezone(UTC)], dtype="datetime64[us, UTC]")
    assert since_epoch(moment) == since_epoch(pd.Timestamp(moment)) == microseconds(column)[0]
