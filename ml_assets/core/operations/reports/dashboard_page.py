"""The dashboard as one HTML page."""

from ml_assets.core.operations.reports.dashboard import Dashboard
from ml_assets.core.operations.reports.html import load_template


def render_dashboard(dashboard: Dashboard) -> bytes:
    """Render the dashboard as one self-contained HTML file without scripts, which links to the pages of the days in the
    same folder. All text is escaped, and equal dashboards give equal bytes.
    """
    return load_template("dashboard.html.jinja").render(dashboard=dashboard).encode()
