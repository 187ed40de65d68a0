"""State that others can read is reported with the command that closes it."""

import pytest

from ml_assets.core.operations.doctor.diagnosis import Severity
from ml_assets.core.operations.doctor.permission_checks import permissions


@pytest.mark.parametrize(
    ("readers", "shares", "remedy"),
    [
        ({}, False, ""),
        ({}, True, ""),
        ({"/data/lake": "group"}, True, ""),
        ({"/data/lake": "group"}, False, "run `chmod -R go= /data/lake`, or share"),
        ({"/the lake": "others"}, True, "run `chmod -R o= '/the lake'`"),
        ({"/home": "group and others", "/lake": "others"}, False, "run `chmod -R go= /home /lake`, or share"),
        ({"/home": "group and others", "/lake": "group"}, True, "run `chmod -R o= /home`"),
    ],
)
def test_readers_are_named_with_the_command_unless_the_group_shares(readers, shares, remedy):
    diagnosis = permissions(readers, shares)
    assert diagnosis.severity is (Severity.WARNING if remedy else Severity.OK)
    assert diagnosis.remedy.startswith(remedy)
    assert all(path in diagnosis.message for path in readers if path in remedy)
