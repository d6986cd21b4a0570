"""A template and its words as one HTML file that needs nothing else.

Every string of a user's goes through `inert` and is escaped by Jinja; the page's policy lets nothing run but its own lines.
"""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from spikecheck.report.sanitize import inert

_WEB = Path(__file__).parent / "web"


def rendered(template: str, scripts: Sequence[str], **words: Any) -> str:
    """The whole page: the files under web/ that `template` and `scripts` name, and the words that the template asks for.

    The scripts become one element, of which the page's policy has the hash.
    """
    environment = Environment(
        loader=FileSystemLoader(_WEB),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["zip"] = zip
    environment.filters["capital"] = lambda text: text[:1].upper() + text[1:]
    script = "".join((_WEB / name).read_text(encoding="utf-8") for name in scripts)
    return environment.get_template(template).render(
        style=Markup((_WEB / "style.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
        place=lambda share: f"{100 * share:.2f}",
        **words,
    )


def _harmless(value: Any) -> Any:
    """A user's string without what could do something, and a figure on one line with its percent sign."""
    return inert(value).replace(" %", "\u00a0%") if isinstance(value, str) and not isinstance(value, Markup) else value
