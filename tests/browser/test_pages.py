"""Each page as a person sees it: it opens, fits, is light, and complains of nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from lanework import Lane
from lanework.http.auth.tokens import Role
from lanework.model.stats.buckets import Bucket, Incident, Kind
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.testing import NOON
from tests.support.factories import a_record
from tests.support.gateway import TOKENS

if TYPE_CHECKING:
    from lanework import App
    from tests.support.browser import Stage, Visitor

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
      const measured = [...document.querySelectorAll(".sla")].map(sla => {
        const p95 = sla.lastElementChild.getBoundingClientRect();
        return [p95.top - sla.getBoundingClientRect().top, p95.height];
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
    for _ in range(5):
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


def late_and_dead(app: App) -> None:
    """Count what makes an alert of late starts in lane critical, and one of deaths."""
    incidents = [
        Incident(
            kind=Kind.LATE,
            at=NOON,
            job_id=f"capture-dead-{number}",
            type="payment.capture",
            queue="payments",
            lane=Lane.CRITICAL,
            attempt=1,
            waited=timedelta(seconds=4),
        )
        for number in range(5)
    ]
    key = Key(lane=Lane.CRITICAL, queue="payments", type="payment.capture")
    numbers = Numbers({Count.STARTED: 20, Count.FIRST_STARTS: 20, Count.LATE: 8, Count.DEAD: 5})
    app.ports.statistics.add(Bucket(at=NOON, numbers={key: numbers}, incidents=tuple(incidents)))
    app.runtime.alert_manager().tick({})


def test_an_alert_and_a_lane_lead_to_exactly_the_jobs_that_they_speak_of(visitor: Visitor, stage: Stage) -> None:
    late_and_dead(stage.app)
    visitor.log_in()
    page = visitor.page

    alerts = page.get_by_role("list", name="Alerts")
    alerts.get_by_role("link", name=re.compile("critical missed the SLA")).click()
    expect(page.get_by_label("Late start")).to_have_value("hour")
    expect(page.locator("[name=lane]")).to_have_value("critical")
    expect(page.locator(".caption")).to_have_text(
        "8 jobs of lane critical started later than their SLA in the last hour, of which 5 are known by name."
    )
    expect(page.locator("tbody tr")).to_have_count(5)
    expect(page.locator("tbody .lane-name.critical")).to_have_count(5)

    visitor.open("").locator("article", has_text="critical").get_by_role("link", name=re.compile(r"\d+ late")).click()
    expect(page.locator("tbody tr")).to_have_count(5)

    visitor.open("")
    alerts.get_by_role("link", name=re.compile("jobs of type payment.capture died")).click()
    expect(page.locator("select[name=type]")).to_have_value("payment.capture")
    expect(page.locator("select[name=within]")).to_have_value("hour")
    expect(page.locator(".groups > li")).to_have_count(1)


def test_a_job_leads_to_its_workflow_and_the_workflow_to_each_of_its_jobs(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    page = visitor.open("workflows/year-2025")
    page.get_by_text("jobs by name").click()
    names = page.locator(".listed a")
    shown = names.all_inner_texts()
    assert len(shown) == len(set(shown)) > 12

    names.filter(has_text=re.compile(r"\.1$")).first.click()
    expect(page.locator(".facts", has_text="Workflow").get_by_role("link").first).to_be_visible()
    page.locator(".facts").get_by_role("link", name="year-2025", exact=True).first.click()
    expect(page).to_have_url(f"{stage.root}workflows/year-2025")


def test_a_job_leads_to_what_it_waits_for_and_to_what_waits_for_it(visitor: Visitor, stage: Stage) -> None:
    stage.app.enqueue("user.welcome", {}, job_id="parent", delay=timedelta(minutes=1))
    stage.app.enqueue("user.welcome", {}, job_id="child", after=["parent"])
    visitor.log_in()

    visitor.open("jobs/child").get_by_role("link", name="parent").click()
    expect(visitor.page).to_have_url(f"{stage.root}jobs/parent")
    visitor.page.get_by_role("link", name="child").click()
    expect(visitor.page).to_have_url(f"{stage.root}jobs/child")


IN_NEW_YORK = {"timezone_id": "America/New_York", "viewport": {"width": 1280, "height": 860}}


@pytest.mark.parametrize("visitor", [IN_NEW_YORK], indirect=True)
def test_a_schedule_says_its_times_in_its_own_zone_in_utc_and_in_the_browser_s(visitor: Visitor, stage: Stage) -> None:
    stage.app.schedules.add("dst", "user.welcome", {}, cron="0 9 28,29 3 *", tz="Europe/Berlin")
    visitor.log_in()

    ticks = visitor.open("schedules").locator("[data-key='dst'] .ticks li")

    expect(ticks.nth(0)).to_contain_text("2026-03-28 09:00 CET 2026-03-28 08:00 UTC · 2026-03-28 04:00 here")
    expect(ticks.nth(1)).to_contain_text("2026-03-29 09:00 CEST 2026-03-29 07:00 UTC · 2026-03-29 03:00 here")
    expect(visitor.page.locator("[data-key='cleanup.expired-tokens'] .ticks li").first).not_to_contain_text("UTC ·")


def test_a_schedule_leads_to_its_last_runs_and_each_of_them_back(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    page = visitor.open("schedules")
    page.locator("[data-key='cleanup.expired-tokens']").get_by_role("button", name="Run now").click()
    run = stage.app.schedules.get("cleanup.expired-tokens").schedule.run_id(NOON.replace(hour=2))
    stage.app.ports.ledger.put(a_record(job_id=run, type="cleanup.expired-tokens", queue="cleanup"))

    card = visitor.open("schedules").locator("[data-key='cleanup.expired-tokens']")
    card.get_by_role("link", name="2026-01-02 02:00 UTC").click()
    expect(page).to_have_url(re.compile("jobs/cleanup.expired-tokens@2026-01-02T02:00Z"))
    page.get_by_role("link", name="cleanup.expired-tokens", exact=True).click()

    expect(page).to_have_url(f"{stage.root}schedules#schedule-cleanup.expired-tokens")
