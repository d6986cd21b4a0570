"""How Sphinx makes the site: `nox -s docs`."""

import sys
from pathlib import Path

import spikecheck

sys.path.append(str(Path(__file__).parent))  # for the extensions of its own

project = "spikecheck"
copyright = "The spikecheck authors"  # noqa: A001 - Sphinx's name for it
release = version = spikecheck.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_click",
    "sphinx_copybutton",
    "_extension.docstrings",
    "_extension.gallery",
    "_extension.links",
    "_extension.schema_tables",
]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "code"  # docstrings write names in single backticks
smartquotes = False  # they would make a dash of --claim
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"spikecheck {release}"
html_extra_path = ["../reports/reproduction.html"]
html_show_sphinx = False
html_show_sourcelink = False
# The claims' figures are drawn in these (spikecheck/report/claim_figure.py); light and dark as in the HTML report.
html_theme_options = {
    "light_css_variables": {
        "claim": "#0072b2",
        "control": "#b84e00",
        "ground": "var(--color-background-primary)",
        "line": "var(--color-background-border)",
    },
    "dark_css_variables": {"claim": "#58b4e8", "control": "#ff9a4d"},
}
