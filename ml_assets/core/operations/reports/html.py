"""The report of a day as one HTML page."""

import json
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ml_assets.core.operations.reports.daily_report import Report, columns_of

if TYPE_CHECKING:
    from jinja2 import Template

LONGEST_TEXT = 400


def render(report: Report) -> bytes:
    """The page: one HTML file that needs nothing else, without scripts. Equal reports give equal bytes; everything in
    it is escaped.
    """
    return _template().render(report=report, verdict=report.verdict(), failed=report.failed()).encode()


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    place = Path(__file__)
    environment = Environment(
        loader=FileSystemLoader(place.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "shown": shown,
        "base64": lambda png: b64encode(png).decode(),
        "words": lambda name: name.replace("_", " "),
        "columns": columns_of,
    }
    return environment.get_template("daily_report.html.jinja")


def shown(value: object) -> str:
    """A value as people read it: four significant digits, thousands apart, records as `name: value`, a line each, text
    cut at 400 characters.
    """
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    text = _records(value) if isinstance(value, str) and value.startswith(("[{", "{")) else str(value)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _records(text: str) -> str:
    """JSON of one object or of several, as tables hold samples of rows; what is no such thing as it is."""
    try:
        found = json.loads(text)
        records = found if isinstance(found, list) else [found]
        return "\n".join(
            ", ".join(f"{name}: {'' if value is None else value}" for name, value in record.items())
            for record in records
        )
    except (ValueError, AttributeError):
        return text
