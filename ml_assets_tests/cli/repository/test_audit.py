"""The audit reports known vulnerabilities, and never takes a missing answer for a good one."""

import pytest

from ml_assets.cli.repository.audit import Audit, audit, read_dependencies, report

GOOD = {"name": "dagster", "version": "1.13.27", "vulns": []}
BAD = {
    "name": "jinja2",
    "version": "2.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}, {"id": "PYSEC-2", "fix_versions": []}],
}
UNKNOWN = {"name": "ours", "version": "1", "skip_reason": "Dependency not found"}


@pytest.fixture
def constraints(tmp_path):
    path = tmp_path / "constraints.txt"
    path.write_text("dagster==1.13.27\njinja2==2.0\n")
    return path


@pytest.mark.parametrize(
    ("answer", "printed", "status"),
    [
        ([GOOD], "1 dependencies: 0 vulnerabilities, 0 not looked up", 0),
        (
            [GOOD, BAD],
            "jinja2 2.0: PYSEC-1, fixed in 2.1\njinja2 2.0: PYSEC-2, not fixed in any version\n"
            "2 dependencies: 2 vulnerabilities",
            1,
        ),
        ([GOOD, UNKNOWN], "ours: not in the advisory database, check it by hand", 1),
        (
            [UNKNOWN, UNKNOWN],
            "NOT AUDITED: the advisory database cannot be reached (it knows none of the dependencies)",
            0,
        ),
        ([UNKNOWN, BAD], "PYSEC-1", 1),
    ],
)
def test_known_vulnerabilities_and_unknown_dependencies_fail_the_audit(constraints, answer, printed, status):
    text, exit_status = report(read_dependencies(answer), constraints)
    assert printed in text
    assert exit_status == status


def test_the_pins_are_printed_when_the_database_cannot_be_reached(constraints):
    text, status = report(Audit(failure="requests.exceptions.ConnectionError: no route to host"), constraints)
    assert text.startswith("dagster==1.13.27\njinja2==2.0\nNOT AUDITED")
    assert "no route to host" in text
    assert status == 0


def test_an_audit_that_cannot_run_fails(constraints):
    result = audit(constraints.with_name("missing.txt"))
    assert not result.is_unreachable
    text, status = report(result, constraints)
    assert text.startswith("the audit failed: ")
    assert status == 1
