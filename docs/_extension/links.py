"""Links that lead to a report in the repository lead to its page on the site."""

import re
from pathlib import Path

from sphinx.application import Sphinx

_REPORT = re.compile(r"\]\((?:(?:\.\./)*reports/)?(findings|gates|reproduction|twins)\.md")
_README = re.compile(r"\]\((?:\.\./)+README\.md")


def on_site(text: str, depth: int) -> str:
    """The text of a page that lies `depth` folders below the site's root, its links kept within the site.

    >>> on_site("[gates](../../reports/gates.md)", depth=1), on_site("[all](reproduction.md#slas)", depth=0)
    ('[gates](../gates.md)', '[all](gallery.md#slas)')
    """
    up = "../" * depth
    inside = _REPORT.sub(lambda found: f"]({up}{found[1].replace('reproduction', 'gallery')}.md", text)
    return _README.sub(f"]({up}index.md", inside)


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    source[0] = on_site(source[0], docname.count("/"))


def _included(app: Sphinx, path: Path, docname: str, source: list[str]) -> None:
    source[0] = on_site(source[0], docname.count("/"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Pages, and what they include."""
    app.connect("source-read", _read)
    app.connect("include-read", _included)
    return {"parallel_read_safe": True}
