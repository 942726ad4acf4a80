"""axe-core on a page as a visitor has it before them."""

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.visitor import settled

DESKTOP = {"width": 1360, "height": 1000}
THEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
GRAVE = {"serious", "critical"}
_AXE = Axe()
_ALL = {"resultTypes": ["violations"]}
_OF_COLOUR = _ALL | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What a theme changes; the other rules are asked once."""


_FIRST_ROWS = "table tbody tr:nth-child(n + 5) { display: none }"


def grave_findings(page: Page) -> list[str]:
    """Serious and critical findings of axe-core on all of the page as it is now, in both themes.

    The window is as high as the page: of what is scrolled away axe-core cannot tell the contrast. Of a table only the
    first rows are looked at: the others are made the same way, and some tables have hundreds.
    """
    found = []
    page.add_style_tag(content=_FIRST_ROWS)
    page.mouse.move(0, 0)
    before = page.viewport_size or DESKTOP
    was_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    height = page.get_by_test_id("stMain").evaluate("e => e.scrollHeight")
    page.set_viewport_size({"width": before["width"], "height": max(before["height"], height + 100)})
    for theme, rules in zip(THEMES, (_ALL, _OF_COLOUR), strict=True):
        page.emulate_media(color_scheme=theme)
        settled(page)
        for finding in _AXE.run(page, options=rules).response["violations"]:
            if finding["impact"] in GRAVE:
                found += [
                    f"{theme}: {finding['id']}: {node['html']}: {node['failureSummary']}" for node in finding["nodes"]
                ]
    page.set_viewport_size(before)
    page.emulate_media(color_scheme=THEMES[was_dark])
    settled(page)
    return found


def assert_nothing_grave(page: Page) -> None:
    """Of the page as it is now.

    Raises:
        AssertionError: with axe-core's words.
    """
    found = grave_findings(page)
    assert not found, "\n\n".join(found)
