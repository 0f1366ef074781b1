"""Nothing lies outside of its box, and no box outside of the screen: each page and each question, narrow and zoomed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from lanework import App
    from tests.support.browser import Stage, Visitor

PAGES = (
    "",
    "jobs",
    "jobs?status=dead&lane=high",
    "jobs/month-2026-01",
    "jobs/notification-dead-3",
    "jobs/welcome-2001",
    "dead",
    "workflows",
    "workflows/year-2025",
    "schedules",
    "limits",
    "cost",
    "docs",
)


def a_screen(width: int, scheme: str, zoom: int = 1) -> dict[str, Any]:
    """Return a browser's window; zoomed, a page has as many pixels less."""
    size = {"width": width // zoom, "height": 860 // zoom}
    return {"viewport": size, "device_scale_factor": zoom, "color_scheme": scheme}


SCREENS = {
    f"{width} {scheme}{' at 200 %' if zoom == 2 else ''}": a_screen(width, scheme, zoom)
    for width, scheme, zoom in (
        (320, "light", 1),
        (320, "dark", 1),
        (375, "light", 1),
        (768, "light", 1),
        (768, "dark", 2),
        (1280, "dark", 1),
        (1280, "light", 2),
    )
}

OUTSIDE = """root => {
  const overflow = (element) => getComputedStyle(element).overflowX;
  const boxed = (element) => {
    const style = getComputedStyle(element);
    return parseFloat(style.borderLeftWidth) > 0 || style.backgroundColor !== "rgba(0, 0, 0, 0)";
  };
  const shown = (node) => node.checkVisibility() && !node.closest(".unseen, .skip, [hidden]");
  const told = [];
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (!text.nodeValue.trim() || !shown(text.parentElement)) continue;
    let box = text.parentElement;
    while (box !== root && !boxed(box) && overflow(box) === "visible") box = box.parentElement;
    if (overflow(box) !== "visible" && !box.closest(".ask")) continue;  // it can be scrolled
    const range = document.createRange();
    range.selectNodeContents(text);
    const outer = box.getBoundingClientRect();
    for (const one of range.getClientRects()) {
      if (one.width && (one.left < outer.left - 1 || one.right > outer.right + 1)) {
        told.push(`${text.nodeValue.trim().slice(0, 40)} is outside of ${box.localName}.${box.className}`);
        break;
      }
    }
  }
  for (const question of root.querySelectorAll("details.ask[open] > div")) {
    const { left, right, top, bottom } = question.getBoundingClientRect();
    if (left < 0 || top < 0 || right > innerWidth || bottom > innerHeight) told.push("a question leaves the screen");
    if (question.scrollWidth > question.clientWidth) told.push("a question is narrower than what it says");
  }
  if (document.documentElement.scrollWidth > innerWidth) told.push("the page is wider than the screen");
  return told;
}"""


def outside(page: Page) -> list[str]:
    """Return what lies outside of where it belongs."""
    found: list[str] = page.locator("body").evaluate(OUTSIDE)
    return found


@pytest.mark.parametrize("visitor", SCREENS.values(), indirect=True, ids=list(SCREENS))
def test_nothing_lies_outside_of_its_box_with_each_question_open(visitor: Visitor, stage: Stage, counted: App) -> None:
    stage.set(counted)
    visitor.log_in()

    asked = 0
    for path in PAGES:
        page = visitor.open(path)
        assert outside(page) == [], path
        for question in page.locator("details.ask").all():
            question.locator("summary").click()
            assert outside(page) == [], (path, question.inner_text())
            page.keyboard.press("Escape")
            asked += 1
    assert asked > 10


def test_a_question_is_closed_by_a_click_beside_it_which_does_nothing_else(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    page = visitor.open("jobs/welcome-2001")
    page.locator("summary").click()
    assert page.get_by_role("button", name="Cancel it").is_visible()

    page.get_by_role("link", name="Jobs", exact=True).last.click(force=True)

    assert page.get_by_role("button", name="Cancel it").is_hidden()
    assert page.url == f"{stage.root}jobs/welcome-2001"
