"""Who may read new files: this user, unless ML_ASSETS_UMASK lets the group."""

import os
from collections.abc import Iterator

import pytest

from ml_assets.defs.environment import protect_new_files, shares_with_group
from ml_assets.defs.variables import read_umask


@pytest.fixture(autouse=True)
def umask(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the umask of the tests."""
    monkeypatch.delenv("ML_ASSETS_UMASK", raising=False)
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.parametrize(
    ("of_the_shell", "stated", "expected"),
    [
        (0o022, None, 0o077),
        (0o000, "", 0o077),
        (0o277, None, 0o277),
        (0o022, "077", 0o077),
        (0o022, "007", 0o007),
        (0o077, "0027", 0o027),
        (0o077, "22", 0o022),
        (0o022, "0", 0o000),
    ],
)
def test_new_files_are_private_unless_the_variable_shares_them(of_the_shell, stated, expected, monkeypatch, tmp_path):
    if stated is not None:
        monkeypatch.setenv("ML_ASSETS_UMASK", stated)
    os.umask(of_the_shell)
    protect_new_files()
    (tmp_path / "folder").mkdir()
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o777 & ~expected
    assert shares_with_group() == (not expected & 0o040)


@pytest.mark.parametrize("text", ["8", "0o77", "777", "177", "-1", "u=rwx", "0777", "00000"])
def test_a_umask_that_is_no_octal_number_or_shuts_out_the_owner_is_refused(text):
    with pytest.raises(ValueError, match=r"ML_ASSETS_UMASK is .* it must be an octal number from 000 to 077"):
        read_umask({"ML_ASSETS_UMASK": text})
