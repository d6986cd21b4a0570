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
    path.write_text(html(json_file.read(ROOT / "reports" / "reproduction.json")), encoding="utf-8")
    return path


class Opened:
    """A page with everything it complained of and asked for."""

    def __init__(self, browser: Browser, file: Path, viewport: dict[str, int], scheme: str = "light") -> None:
        how: Any = {"viewport": viewport, "color_scheme": scheme}
        self.page: Page = browser.new_page(**how)
        self.complaints: list[str] = []
        self.requests: list[str] = []
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
    page.click("a[href='#claim-condensation']")
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


def test_printed_it_is_whole(browser: Browser, file: Path) -> None:
    opened = Opened(browser, file, DESKTOP)
    PICTURES.mkdir(exist_ok=True)
    opened.page.emulate_media(media="print")
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.page.evaluate("[...document.querySelectorAll('details')].every((one) => one.open)")
    assert not opened.page.locator("#theme").is_visible()
    opened.page.screenshot(path=PICTURES / "print.png")
    printed = opened.page.pdf()
    assert printed.startswith(b"%PDF")
    opened.page.close()
