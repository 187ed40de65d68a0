"""The daily report as one HTML page."""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ml_assets.core.operations.reports.daily_report import Report, columns_of
from ml_assets.core.plots.image_format import data_uri

if TYPE_CHECKING:
    from jinja2 import Template

MAX_CHARACTERS = 400


def render(report: Report) -> bytes:
    """Render the page as one self-contained HTML file without scripts. All text is escaped, and equal reports give
    equal bytes.
    """
    page = load_template("daily_report.html.jinja")
    return page.render(report=report, verdict=report.verdict(), failed=report.failed()).encode()


@cache
def load_template(name: str) -> "Template":
    """Load a template of this folder, which escapes all text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "value": format_value,
        "data_uri": data_uri,
        "words": lambda name: name.replace("_", " "),
        "columns": columns_of,
    }
    return environment.get_template(name)


def format_value(value: object) -> str:
    """Format a value for people: four significant digits, a thousands separator, records as lines of `name: value`, and
    text of at most 400 characters.
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
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"


def _records(text: str) -> str:
    """Format JSON of one or more objects, such as the sampled rows in tables; return other text unchanged."""
    try:
        document = json.loads(text)
        records = document if isinstance(document, list) else [document]
        return "\n".join(
            ", ".join(f"{name}: {'' if value is None else value}" for name, value in record.items())
            for record in records
        )
    except (ValueError, AttributeError):
        return text
