"""Tables for a terminal, or plain text where the output goes elsewhere."""

import io

from rich.console import Console
from rich.table import Table

_WIDE = 10_000


def print_table(console: Console, table: Table) -> None:
    """Print a table: framed and as wide as a terminal, or elsewhere without a frame and with one line for each row.

    Args:
        console: the console to print to.
        table: the table; modified in place where the output is not a terminal.
    """
    if console.is_terminal:
        console.print(table)
        return
    if table.title:
        console.print(table.title, highlight=False)
    table.title, table.box, table.show_lines, table.pad_edge = None, None, False, False
    # A console prints nothing wider than itself.
    plain = Console(file=io.StringIO(), width=_WIDE, color_system=None)
    plain.print(table, highlight=False)
    for line in plain.file.getvalue().splitlines():  # type: ignore[attr-defined]
        console.print(f"  {line.rstrip()}", soft_wrap=True, highlight=False, markup=False)
