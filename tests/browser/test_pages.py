"""Each page as a person sees it: it opens, fits, is light, and complains of nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from lanework.http.tokens import Role
from tests.gateway import TOKENS

if TYPE_CHECKING:
    from lanework import App
    from tests.browser.conftest import Stage, Visitor

PAGES = {
    "": "Overview",
    "jobs": "Jobs",
    "jobs?status=dead&lane=high": "Jobs",
    "jobs/month-2026-01": "month-2026-01",
    "jobs/notification-dead-3": "notification-dead-3",
    "dead": "Dead letters",
    "workflows": "Workflows",
    "workflows/year-2025": "year-2025",
    "schedules": "Schedules",
    "limits": "Limits and pauses",
    "cost": "Cost",
    "docs": "API",
}
LARGEST = 60 * 1024

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DARK = {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"}


@pytest.mark.parametrize("visitor", [DARK, PHONE], indirect=True, ids=["dark", "phone"])
def test_every_page_opens_fits_and_complains_of_nothing(visitor: Visitor, stage: Stage, counted: App) -> None:
    stage.set(counted)
    visitor.log_in()

    for path, title in PAGES.items():
        page = visitor.open(path)
        expect(page).to_have_title(f"{title} · Lanework")
        width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1], f"{path} is wider than the screen"

    assert visitor.complaints == []


@pytest.mark.parametrize("width", [320, 761, 900, 1101, 1280])
def test_a_lane_s_p95_stands_in_one_line_and_in_the_same_of_each_card(
    visitor: Visitor, stage: Stage, counted: App, width: int
) -> None:
    stage.set(counted)
    visitor.log_in()
    visitor.page.set_viewport_size({"width": width, "height": 860})

    tops, heights = visitor.open("").evaluate("""() => {
      const measured = [...document.querySelectorAll(".promise")].map(promise => {
        const p95 = promise.lastElementChild.getBoundingClientRect();
        return [p95.top - promise.getBoundingClientRect().top, p95.height];
      });
      return [0, 1].map(which => [...new Set(measured.map(one => Math.round(one[which])))]);
    }""")

    assert (len(tops), [round(12.5 * 1.5)]) == (1, heights)


def test_a_page_is_at_most_60_kb(visitor: Visitor, stage: Stage, counted: App) -> None:
    stage.set(counted)
    visitor.log_in()

    sizes = {path: len((visitor.page.request.get(stage.root + path)).body()) for path in PAGES if path != "docs"}

    assert max(sizes.values()) <= LARGEST, sizes


def test_whoever_has_no_session_logs_in_first_and_out_at_the_end(visitor: Visitor, stage: Stage) -> None:
    page = visitor.open("jobs")
    expect(page).to_have_url(f"{stage.root}login")
    page.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This token is not accepted.")

    page.get_by_label("Token").fill(TOKENS[Role.VIEWER])
    page.keyboard.press("Enter")
    expect(page).to_have_url(stage.root)
    assert page.evaluate("document.cookie") == ""

    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{stage.root}login")
    expect(visitor.open("jobs")).to_have_url(f"{stage.root}login")


def test_a_viewer_sees_everything_and_is_offered_no_action(visitor: Visitor) -> None:
    visitor.log_in(Role.VIEWER)

    for path in PAGES:
        buttons = visitor.open(path).locator("main button, main .button").all_inner_texts()
        assert set(buttons) <= {"Open", "Filter", "Newest", "Older"}, path


def test_the_overview_says_what_is_wrong(visitor: Visitor, stage: Stage, counted: App) -> None:
    stage.set(counted)
    visitor.log_in()

    critical = visitor.page.locator("article", has_text="critical")
    expect(critical.locator(".state")).to_have_text(re.compile(r"\d+ late"))
    expect(critical.locator(".failed dd")).to_have_text("5")
    expect(visitor.page.get_by_text("Paused: queue:reports")).to_be_visible()
    expect(visitor.page.locator("section", has_text="Latest deaths").get_by_role("link")).to_have_count(7)


def test_with_the_keyboard_a_filter_is_chosen_arrow_by_arrow(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.open("jobs")

    page.get_by_label("Status").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Status")).to_have_value("running")
    expect(page.get_by_label("Status")).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Filter")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("tbody tr")).to_have_count(2)


def test_jobs_are_filtered_without_a_click_more_and_found_by_their_id(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.open("jobs")

    page.get_by_label("Status").select_option("running")
    expect(page.locator("tbody tr")).to_have_count(2)

    page.get_by_label("Job id").fill("capture-retry")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("payment.capture")

    visitor.open("jobs")
    page.get_by_label("Job id").fill("no-such-job")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("no job 'no-such-job'")
    assert [one for one in visitor.complaints if "404" not in one] == []


def test_a_job_shows_its_attempts_errors_log_and_masks_what_is_private(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.open("jobs/notification-dead-3")

    expect(page.locator(".timeline li")).to_have_text(
        [re.compile(one) for one in ("Enqueued", "Attempt 1 failed", "Attempt 2", "Attempt 3", "Died: exhausted")]
    )
    expect(page.locator(".payload")).to_contain_text("sign-in")
    expect(page.locator(".payload")).not_to_contain_text("bat@example.com")
    expect(visitor.open("jobs/notification-1000").locator(".log")).to_contain_text("handed to SMTP")


def test_what_does_not_exist_is_told_on_a_page(visitor: Visitor) -> None:
    visitor.log_in()

    expect(visitor.open("jobs/no-such-job").get_by_role("alert")).to_contain_text("no job 'no-such-job'")
    expect(visitor.open("nowhere").get_by_role("heading", level=1)).to_have_text("Not Found")
    expect(visitor.open("jobs?status=lost").get_by_role("alert")).to_contain_text("unknown status 'lost'")


def test_everything_can_be_reached_by_keyboard(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.open("jobs/welcome-2001")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(2):  # the way back to the list, then the action
        page.keyboard.press("Tab")
    expect(page.locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel it")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Cancel it")).to_be_hidden()
    expect(page.locator("summary")).to_be_focused()
