"""constraints-hashed.txt has the versions of constraints.txt with hashes, and nothing else."""

import re
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ml_assets.cli.repository.hashes import DEVELOPMENT, HASHED, NAME, PINS, divide_pins

HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
PIN = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,-]+\])?==\S+ \\")


def pins(text: str) -> set[str]:
    return {re.sub(r"\[.*\]", "", line).rstrip(" \\") for line in text.splitlines() if NAME.match(line)}


def test_both_files_name_the_same_versions():
    assert pins(HASHED.read_text()) == pins(PINS.read_text())


def test_every_line_is_a_pin_with_hashes_or_a_comment_and_none_has_an_address():
    lines = [line for line in HASHED.read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not (PIN.fullmatch(line) or HASH.fullmatch(line))] == []
    for line, following in zip(lines, [*lines[1:], "end=="], strict=True):
        # A pin and all hashes but its last are continued by a hash.
        assert line.endswith("\\") == bool(HASH.fullmatch(following)), line


def test_the_part_above_development_has_all_that_the_project_requires():
    runtime = {canonicalize_name(pin.partition("==")[0]) for pin in pins(HASHED.read_text().split(DEVELOPMENT)[0])}
    waiting, required = ["ml_assets"], set()
    while waiting:
        try:
            lines = requires(waiting.pop()) or []
        except PackageNotFoundError:
            continue
        direct = {
            canonicalize_name(need.name)
            for need in map(Requirement, lines)
            if need.marker is None or need.marker.evaluate({"extra": ""})
        }
        waiting += direct - required
        required |= direct
    assert required <= runtime
    assert not {"pytest", "ruff", "moto"} & runtime


def test_addresses_and_options_of_a_package_index_are_left_out_and_names_keep_their_spelling():
    hashed = [
        "--index-url simple",
        "",
        "a-b==1 \\",
        "    --hash=sha256:0",
        "# from x",
        "c==2 \\",
        "    --hash=sha256:1",
    ]
    pins, extras = "A_b==1\nc==2\n", {"c": "[more]"}
    above, below = divide_pins(pins, "\n".join(hashed) + "\n", ["c"], extras).split(DEVELOPMENT)
    assert above.endswith(".\nc[more]==2 \\\n    --hash=sha256:1\n")
    assert below == "A_b==1 \\\n    --hash=sha256:0\n"
