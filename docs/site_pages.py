"""Hooks of mkdocs: pages of the repository that lie outside of `docs`, and the links that lead there."""

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "helm/README.md": "how-to/install-on-kubernetes.md",
    "README.md": "index.md",
}
SOURCES = {page: source for source, page in PAGES.items() if page != "index.md"}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s#]*)(#[^)\s]*)?\)")


def on_files(files, config):
    """Add the pages of the repository to the site."""
    from mkdocs.structure.files import File

    for page, source in SOURCES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Point relative links at pages of the site; a link to any other file of the repository becomes its text."""
    return resolve_links(markdown, page.file.src_uri)


def resolve_links(markdown: str, page: str) -> str:
    """Return the text of a page with links that are valid within the site.

    Args:
        markdown: the text as it is in the repository.
        page: path of the page in the site, such as `how-to/s3.md`.
    """
    folder = Path(SOURCES.get(page, f"docs/{page}")).parent

    def resolve(match: re.Match[str]) -> str:
        image, text, path, anchor = match.groups(default="")
        if not path or ":" in path:
            return match.group()
        target = os.path.normpath(folder / path)
        inside = PAGES.get(target, target.removeprefix("docs/") if target.startswith("docs/") else None)
        if inside is None or not (inside in PAGES.values() or (ROOT / "docs" / inside).exists()):
            return text if (ROOT / target).exists() else match.group()
        return f"{image}[{text}]({os.path.relpath(inside, Path(page).parent)}{anchor})"

    return LINK.sub(resolve, markdown)
