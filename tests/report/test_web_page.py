"""Pages from templates: escaped, self-contained, and with one script that is allowed by its hash."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from spikecheck.report import web_page
from spikecheck.report.web_page import rendered


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of templates of the test's own, beside the style and the scripts that ship."""
    for name in ("style.css", "theme.js", "overview.js"):
        (tmp_path / name).write_text((web_page._WEB / name).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(web_page, "_WEB", tmp_path)
    return tmp_path


def test_strings_are_escaped_and_inert_and_a_percent_sign_stays_with_its_number(page: Path) -> None:
    (page / "t.j2").write_text("<p title='{{ text }}'>{{ text }}</p>{{ 3 }}{{ text | capital }}", encoding="utf-8")
    found = rendered("t.j2", [], text="a <b>\x1b[31m\u202e & '5 %'")
    assert found.startswith("<p title='a &lt;b&gt;[31m &amp; &#39;5\u00a0%&#39;'>a &lt;b&gt;")
    assert "<b>" not in found and "\x1b" not in found and "\u202e" not in found
    assert "3A &lt;b&gt;" in found


def test_the_scripts_are_one_element_that_its_hash_allows(page: Path) -> None:
    (page / "t.j2").write_text("{{ script_hash }}<script>{{ script }}</script>", encoding="utf-8")
    found = rendered("t.j2", ["theme.js", "overview.js"])
    allowed, script = re.fullmatch(r"sha256-(\S+?)<script>(.*)</script>", found, re.DOTALL).groups()  # type: ignore[union-attr]
    whole = "".join((page / name).read_text(encoding="utf-8") for name in ("theme.js", "overview.js"))
    assert script == whole
    assert base64.b64decode(allowed) == hashlib.sha256(whole.encode()).digest()


def test_a_variable_that_nobody_gave_is_an_error_and_no_gap(page: Path) -> None:
    (page / "t.j2").write_text("{{ heading }}", encoding="utf-8")
    with pytest.raises(UndefinedError, match="heading"):
        rendered("t.j2", [])


def test_shares_are_places_in_per_cent(page: Path) -> None:
    (page / "t.j2").write_text("{{ place(0.12345) }} {{ place(1) }}", encoding="utf-8")
    assert rendered("t.j2", []) == "12.35 100.00"
