"""A page renews itself every five seconds, and takes nothing away from whoever is reading or choosing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from lanework import Lane
from lanework.testing import Clock

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser import Stage, Visitor

EVERY_MS = 5_000


def open_still(visitor: Visitor, path: str) -> Page:
    """Open a page whose clock goes on only when it is told to."""
    visitor.log_in()
    visitor.page.clock.install()
    page = visitor.open(path)
    visitor.page.clock.pause_at(page.evaluate("Date.now()") + 500)
    page.wait_for_load_state("networkidle")  # a renewal under way would be the one that is waited for
    return page


def test_it_renews_itself_and_keeps_scroll_selection_focus_and_ticks(visitor: Visitor, stage: Stage) -> None:
    page = open_still(visitor, "dead")
    page.locator("a.group").first.click()
    page.get_by_label("Select notification-dead-9").check()
    page.evaluate("scrollTo(0, 180); getSelection().selectAllChildren(document.querySelector('.error pre'))")
    page.get_by_label("Select notification-dead-4").focus()
    stage.app.dead_letters.redrive_job("notification-dead-0")

    page.clock.run_for(EVERY_MS)

    expect(page.get_by_label("Select notification-dead-0")).to_have_count(0)
    expect(page.get_by_label("Select notification-dead-9")).to_be_checked()
    expect(page.get_by_label("Select notification-dead-4")).to_be_focused()
    expect(page.get_by_role("button", name="Redrive 1 selected…")).to_be_enabled()
    assert page.evaluate("scrollY") == 180
    assert page.evaluate("getSelection().toString().trim()").startswith("SMTPServerDisconnected")
    assert visitor.complaints == []


def test_what_is_typed_and_chosen_stays_with_the_focus_where_it_was(visitor: Visitor, stage: Stage) -> None:
    page = open_still(visitor, "jobs")
    page.get_by_label("Status").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_label("Job id").press_sequentially("month-2026")
    page.keyboard.press("ArrowLeft")

    for number in range(2):
        stage.app.enqueue("user.welcome", {}, job_id=f"new-{number}")
        page.clock.run_for(EVERY_MS)
        expect(page.locator("tr", has_text=f"new-{number}")).to_have_count(1)
        page.keyboard.press("x")

    expect(page.get_by_label("Job id")).to_be_focused()
    expect(page.get_by_label("Job id")).to_have_value("month-202xx6")
    expect(page.get_by_label("Status")).to_have_value("scheduled")
    assert visitor.complaints == []


def test_under_an_action_s_note_a_page_is_renewed_and_not_built_anew(visitor: Visitor) -> None:
    visitor.log_in()
    visitor.page.clock.install()
    page = visitor.open("jobs/month-2026-01")
    page.locator("summary").click()
    page.get_by_role("button", name="Cancel it").click()
    visitor.page.clock.pause_at(page.evaluate("Date.now()") + 500)
    page.wait_for_load_state("networkidle")
    page.locator("summary").click()
    page.evaluate("document.querySelector('h1').marked = true")
    renewed = page.locator("[data-old]")
    page.evaluate("document.querySelector('.progress').dataset.old = ''")

    page.clock.run_for(EVERY_MS)

    expect(renewed).to_have_count(0)
    assert page.evaluate("document.querySelector('h1').marked")
    expect(page.get_by_role("button", name="Cancel it")).to_be_visible()
    assert visitor.note().startswith("Asked to stop")


def test_what_is_ticked_stays_when_it_is_in_the_list_no_more(visitor: Visitor, stage: Stage) -> None:
    page = open_still(visitor, "dead")
    page.locator("a.group").first.click()
    page.get_by_label("Select notification-dead-5").check()
    page.evaluate("document.activeElement.blur()")
    dead_letters = stage.app.dead_letters
    for number in (5, 6):
        dead_letters.redrive_job(f"notification-dead-{number}")

    page.clock.run_for(EVERY_MS)

    expect(page.get_by_label("Select notification-dead-6")).to_have_count(0)
    expect(page.get_by_label("Select notification-dead-5")).to_be_checked()
    page.get_by_label("Select notification-dead-5").uncheck()
    page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    page.clock.run_for(EVERY_MS)
    expect(page.get_by_label("Select notification-dead-5")).to_have_count(0)


def test_a_selection_stays_in_words_that_change_and_a_log_stays_where_it_was_scrolled_to(
    visitor: Visitor, stage: Stage
) -> None:
    ledger, clock = stage.app.ports.ledger, stage.app.ports.clock
    assert isinstance(clock, Clock)
    for number in range(60):
        ledger.add_log("month-2026-01", "claim", at=clock(), lines=[f"line {number}"])
    page = open_still(visitor, "jobs/month-2026-01")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.timeline time'))")
    page.evaluate("document.querySelector('.log').scrollTop = 120")
    before = page.locator(".timeline time").first.inner_text()
    clock.advance(timedelta(minutes=30))

    page.clock.run_for(EVERY_MS)

    expect(page.locator(".timeline time").first).not_to_have_text(before)
    assert page.evaluate("getSelection().toString().trim()").endswith("ago")
    assert page.evaluate("document.querySelector('.log').scrollTop") == 120


@pytest.mark.parametrize(("path", "row"), [("limits", "queue-email"), ("schedules", "cleanup.expired-tokens")])
def test_a_question_stays_open_while_all_around_it_changes(visitor: Visitor, stage: Stage, path: str, row: str) -> None:
    page = open_still(visitor, path)
    page.locator(f"[data-key='{row}'] summary").click()
    stage.app.pause(lane=Lane.LOW)
    stage.app.schedules.add("another", "user.welcome", {}, cron="0 9 * * 1")

    page.clock.run_for(EVERY_MS)

    expect(page.locator("[data-key='another'], [data-key='lane-low'] .state")).to_have_count(1)
    expect(page.locator(f"[data-key='{row}'] .ask button")).to_be_visible()


def test_an_open_question_stays_open(visitor: Visitor, stage: Stage) -> None:
    page = open_still(visitor, "jobs/month-2026-01")
    page.locator("summary").click()
    ledger = stage.app.ports.ledger
    page.evaluate("document.querySelector('.progress').dataset.old = ''")

    page.clock.run_for(EVERY_MS)

    expect(page.locator(".progress[data-old]")).to_have_count(0)
    expect(page.get_by_role("button", name="Cancel it")).to_be_visible()
    assert ledger.get("month-2026-01") is not None


def test_a_server_that_does_not_answer_is_told_until_it_does(visitor: Visitor) -> None:
    page = open_still(visitor, "jobs")
    live = page.locator("#live")
    expect(live).to_have_text("Live")

    page.route("**/jobs", lambda route: route.abort())
    page.clock.run_for(EVERY_MS)
    expect(live).to_contain_text("No answer since")

    page.unroute("**/jobs")
    page.clock.run_for(EVERY_MS)
    expect(live).to_have_text("Live")


def test_a_session_that_is_over_ends_at_the_login_page(visitor: Visitor, stage: Stage) -> None:
    page = open_still(visitor, "jobs")
    visitor.page.context.clear_cookies()

    page.clock.run_for(EVERY_MS)

    expect(page).to_have_url(f"{stage.root}login")
