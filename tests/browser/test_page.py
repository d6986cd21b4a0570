"""The HTML report in headless Chromium: `nox -s browser`. Screenshots are kept under reports/browser.

It needs Debian's chromium; $CHROMIUM says where it is elsewhere.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from spikecheck.report import json_file
from spikecheck.report.html import html
from spikecheck.report.scorecard_page import scorecard_html

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "reports" / "browser"
# Chromium's own services look for hosts that have nothing to do with the page.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html(json_file.read(ROOT / "reports" / "reproduction.json.gz")), encoding="utf-8")
    return path


class Opened:
    """A page with everything it complained of and asked for."""

    def __init__(self, browser: Browser, file: Path, viewport: dict[str, int], scheme: str = "light") -> None:
        how: Any = {"viewport": viewport, "color_scheme": scheme}
        self.page: Page = browser.new_page(**how)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_it_opens_without_complaint_or_request(
    browser: Browser, file: Path, name: str, viewport: dict[str, int], scheme: str
) -> None:
    opened = Opened(browser, file, viewport, scheme)
    assert opened.complaints == []
    assert opened.requests == [file.as_uri()]
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{scheme}.png")
    page.click("#answers a[href='#claim-condensation']")
    page.locator("#claim-condensation figure svg").scroll_into_view_if_needed()
    assert page.locator("#claim-condensation figure svg").bounding_box() is not None
    page.evaluate("document.getElementById('claim-condensation').scrollIntoView()")
    page.screenshot(path=PICTURES / f"{name}-{scheme}-condensation.png")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, file: Path, scheme: str) -> None:
    opened = Opened(browser, file, DESKTOP, scheme)
    opened.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert serious_problems(opened.page) == []
    opened.page.close()


def test_axe_would_find_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.html"
    wrong.write_text("<html><body><img src='data:,'><p style='color:#ddd;background:#fff'>pale</p></body></html>")
    opened = Opened(browser, wrong, DESKTOP)
    assert {problem.partition(":")[0] for problem in serious_problems(opened.page)} >= {"color-contrast", "image-alt"}
    opened.page.close()


def serious_problems(page: Page) -> list[str]:
    return [
        f"{v['id']}: {v['help']} ({len(v['nodes'])}: {v['nodes'][0]['html'][:200]})"
        for v in Axe().run(page).response["violations"]
        if v["impact"] in ("serious", "critical")
    ]


def test_the_theme_is_switched_by_keyboard_and_remembered(browser: Browser, file: Path) -> None:
    opened = Opened(browser, file, DESKTOP)
    page, ground = opened.page, "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.keyboard.press("Tab")  # to the link that skips
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "theme"
    page.keyboard.press("Enter")
    after = page.evaluate(ground)
    assert after != before
    page.reload()
    assert page.evaluate(ground) == after
    assert opened.complaints == []
    page.close()


FOLDED = "document.documentElement.scrollHeight"


def test_it_opens_short(browser: Browser, file: Path) -> None:
    """Regression: 67,000 pixels of thirty claims, one below the other."""
    for viewport, most in ((DESKTOP, 10_000), (PHONE, 18_000)):
        opened = Opened(browser, file, viewport)
        assert opened.page.evaluate(FOLDED) < most
        opened.page.close()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_all_unfolded_nothing_scrolls_sideways(browser: Browser, file: Path, viewport: dict[str, int]) -> None:
    """Neither the page nor a box within it: figures and maps fit a phone."""
    opened = Opened(browser, file, viewport)
    page = opened.page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = "[...document.querySelectorAll('.scroll, figure, figure > div, pre')]"
    wide = f"{boxes}.filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.outerHTML.slice(0, 120))"
    assert page.evaluate(wide) == []
    page.close()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_index_stays_in_sight_and_leads_to_a_claim(browser: Browser, file: Path, viewport: dict[str, int]) -> None:
    opened = Opened(browser, file, viewport)
    page, phone = opened.page, viewport is PHONE
    page.evaluate("scrollTo(0, 5000)")
    assert page.evaluate("scrollY") > 3_000
    index = page.locator(".menu > summary" if phone else ".side")
    box = index.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 100, "the index has gone out of sight"
    if phone:
        index.click()
    page.locator(f"{'.menu' if phone else '.side'} a[href='#claim-slas']").click()
    assert page.locator("#claim-slas").is_visible()
    title = page.locator("#title-slas").bounding_box()
    assert title is not None
    assert 0 <= title["y"] < viewport["height"] / 2
    if phone:
        assert not page.locator(".menu nav").is_visible(), "the menu covers what it led to"
    assert opened.complaints == []
    page.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["with", "without"])
def test_a_link_unfolds_its_claim_with_and_without_javascript(browser: Browser, file: Path, *, scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(f"{file.as_uri()}#claim-condensation")
    assert page.locator("#claim-condensation").is_visible()
    assert not page.locator("#claim-slas").is_visible()
    page.locator("#claim-condensation .related a[href='#claim-spike-effect-decomposed']").click()
    assert page.locator("#claim-spike-effect-decomposed").is_visible()
    if not scripts:
        assert not page.locator("#filter").is_visible(), "what does nothing is not shown"
    context.close()


def test_the_overview_is_filtered_by_words_and_verdict(browser: Browser, file: Path) -> None:
    opened = Opened(browser, file, DESKTOP)
    page = opened.page
    rows, folded = page.locator("#answers tbody tr:visible"), page.locator("details.claim:visible")
    everything = rows.count()
    page.select_option("#outcome", "fails")
    failing = rows.count()
    assert 0 < failing < everything
    assert folded.count() == page.locator(".side li:visible").count() == failing
    assert page.locator("#answers tbody tr[data-word='passes']:visible").count() == 0
    page.fill("#words", "Calm Twin")
    assert [row.get_attribute("data-claim") for row in rows.all()] == ["condensation"]
    assert page.locator("output").inner_text() == f"1 of {everything} claims"
    page.fill("#words", "no such words")
    assert rows.count() == 0
    page.fill("#words", "")
    page.select_option("#outcome", "")
    assert rows.count() == everything
    assert opened.complaints == []
    page.close()


def test_the_overview_is_sorted_by_keyboard_and_says_how(browser: Browser, file: Path) -> None:
    opened = Opened(browser, file, DESKTOP)
    page = opened.page
    names = "[...document.querySelectorAll('#answers tbody tr')].map((row) => row.dataset.claim)"
    head = page.locator("#answers thead th").first
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert page.evaluate(names) == sorted(page.evaluate(names))
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert page.evaluate(names) == sorted(page.evaluate(names), reverse=True)
    page.locator("#answers thead th").nth(2).locator("button").click()
    assert page.locator("[aria-sort]").count() == 1
    assert page.evaluate(names) != sorted(page.evaluate(names), reverse=True)
    page.close()


def test_printed_it_is_whole(browser: Browser, file: Path) -> None:
    opened = Opened(browser, file, DESKTOP)
    PICTURES.mkdir(exist_ok=True)
    opened.page.emulate_media(media="print")
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.page.evaluate("[...document.querySelectorAll('details')].every((one) => one.open)")
    assert not any(opened.page.locator(part).is_visible() for part in ("#theme", "#filter", ".side", ".menu"))
    assert opened.page.locator("#answers thead button").first.is_visible(), "the table has lost its heads"
    opened.page.screenshot(path=PICTURES / "print.png")
    printed = opened.page.pdf()
    assert printed.startswith(b"%PDF")
    opened.page.close()


# ---- the gate's page -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gate_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gate") / "card.html"
    path.write_text(
        scorecard_html(json_file.read_scorecard(ROOT / "tests" / "browser" / "card.json")), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_the_gates_page_fits_and_asks_for_nothing(
    browser: Browser, gate_file: Path, name: str, viewport: dict[str, int], scheme: str
) -> None:
    opened = Opened(browser, gate_file, viewport, scheme)
    page = opened.page
    assert opened.requests == [gate_file.as_uri()]
    assert page.locator(".curves figure svg").count() == 4
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"gate-{name}-{scheme}.png")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    assert serious_problems(page) == []
    assert opened.complaints == []
    page.close()
