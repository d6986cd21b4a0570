"""Renders a template as one self-contained HTML file.

Every string from a user passes through `inert` and is escaped by Jinja. The page's security policy allows its own script only.
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
    """Render a page.

    Args:
        template: name of the template under web/.
        scripts: names of scripts under web/; they become one element, allowed by its hash.
        **words: the template's variables. A variable that the template needs and does not get raises.
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
    """Sanitise a string, and keep a number and its percent sign on one line."""
    return inert(value).replace(" %", "\u00a0%") if isinstance(value, str) and not isinstance(value, Markup) else value
