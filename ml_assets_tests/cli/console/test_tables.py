"""A table has a frame in a terminal, and is plain text elsewhere."""

import io

from rich.console import Console
from rich.table import Table

from ml_assets.cli.console.tables import print_table


def printed(is_terminal: bool) -> str:
    table = Table("gate", "reason", title="Gates", title_justify="left")
    table.add_row("roc_auc", "a reason that is longer than the terminal is wide [0, 1]".replace("[", r"\["))
    output = io.StringIO()
    print_table(Console(file=output, width=40, force_terminal=is_terminal, color_system=None), table)
    return output.getvalue()


def test_a_terminal_gets_a_frame():
    assert "┏" in printed(is_terminal=True)


def test_other_output_has_a_line_for_each_row():
    assert printed(is_terminal=False) == (
        "Gates\n  gate     reason\n  roc_auc  a reason that is longer than the terminal is wide [0, 1]\n"
    )
