"""The limits of a file have defaults, and a specification may change each."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec.file_feed import labels_feed
from ml_assets.core.model_spec.model import ModelSpec
from ml_assets.core.model_spec.types.file_limits import DEFAULT_LIMITS, FileLimits


def test_labels_have_the_limits_of_the_source(small):
    small["source"]["limits"] = {"rows": 7}
    small["labels"] = {"files": "labels/{day}/*", "key": ["id"], "known_at": "at"}
    feed = labels_feed(ModelSpec.model_validate(small))
    assert feed is not None
    assert feed.source.limits == FileLimits(rows=7)
    assert feed.source.limits.columns == DEFAULT_LIMITS.columns


@pytest.mark.parametrize("limits", [{"rows": 0}, {"depth": 501}, {"line_bytes": 1 << 30}, {"bytes": 1}])
def test_a_limit_that_cannot_hold_is_refused(limits):
    with pytest.raises(ValidationError):
        FileLimits(**limits)
