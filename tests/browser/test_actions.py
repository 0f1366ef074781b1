"""Each action, as a person does it: it asks where it destroys, does what it says, and says what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from lanework import State

if TYPE_CHECKING:
    from tests.support.browser import Stage, Visitor


def test_a_job_is_cancelled_once_it_was_asked(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    page = visitor.open("jobs/welcome-2001")

    page.locator("summary").click()
    assert stage.app.get("welcome-2001").state is State.QUEUED
    page.get_by_role("button", name="Cancel it").click()

    assert visitor.note() == "Cancelled: it won't run."
    assert stage.app.get("welcome-2001").state is State.CANCELLED


def test_what_an_action_did_is_told_once(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.open("jobs/welcome-2001")
    page.locator("summary").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.locator("#note")).to_be_visible()

    page.reload()

    expect(page.locator("#note")).to_have_count(0)


def test_a_delayed_job_is_started_now(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    visitor.open("jobs/capture-retry").get_by_role("button", name="Start now").click()

    assert "it starts within a minute" in visitor.note()
    assert stage.app.get("capture-retry").due_at == stage.app.ports.clock()


def test_a_dead_job_is_redriven_and_another_dropped(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    visitor.open("jobs/notification-dead-0").get_by_role("button", name="Redrive").click()
    assert visitor.note() == "Redriven: life 2. Its attempts start over."
    assert stage.app.get("notification-dead-0").state is State.QUEUED

    page = visitor.open("jobs/notification-dead-1")
    page.locator("summary").click()
    page.get_by_role("button", name="Drop it").click()
    assert "no redrive brings it back" in visitor.note()
    assert stage.app.get("notification-dead-1").state is State.CANCELLED


def test_what_came_too_late_is_told(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    page = visitor.open("jobs/notification-dead-0")
    stage.app.dead_letters.redrive_job("notification-dead-0")

    page.get_by_role("button", name="Redrive").click()

    assert visitor.note().startswith("Nothing was changed: job 'notification-dead-0' is queued")


def test_selected_dead_jobs_are_redriven_in_two_clicks(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    page = visitor.open("dead")
    page.locator("a.group").first.click()
    expect(page.get_by_role("button", name="Redrive selected…")).to_be_disabled()
    page.get_by_label("Select notification-dead-2").check()
    page.get_by_label("Select notification-dead-5").check()

    page.get_by_role("button", name="Redrive 2 selected…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Redrive 2 dead jobs?")
    assert stage.app.get("notification-dead-2").state is State.DEAD
    page.get_by_role("button", name="Redrive 2 dead jobs").click()

    assert visitor.note() == "Redriven: 2 jobs."
    states = [stage.app.get(f"notification-dead-{number}").state for number in (2, 5, 6)]
    assert states == [State.QUEUED, State.QUEUED, State.DEAD]


def test_all_of_an_error_are_dropped_once_it_was_asked(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    page = visitor.open("dead")
    page.locator("li", has_text="PaymentDeclined").get_by_role("button", name="Drop…").click()
    expect(page.get_by_text("can't be redriven")).to_be_visible()

    page.get_by_role("button", name="Drop 5 dead jobs").click()

    assert visitor.note() == "Dropped: 5 jobs."
    expect(page.locator("a.group", has_text="PaymentDeclined")).to_have_count(0)
    assert stage.app.get("capture-dead-0").state is State.CANCELLED


def test_a_canary_is_a_job_whose_page_is_shown(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    page = visitor.open("dead")
    page.locator("li", has_text="SMTP").get_by_role("button", name="Redrive…").click()
    page.get_by_label("As a canary").check()
    page.get_by_label("At most").fill("2.5")

    page.get_by_role("button", name="Redrive 14 dead jobs").click()

    assert "redrives 14 dead jobs" in visitor.note()
    expect(page.get_by_role("heading", level=1)).to_contain_text("lanework.redrive")
    payload = stage.app.get(page.url.rsplit("/", 1)[1]).payload
    assert payload is not None
    assert ('"canary":true' in payload, '"rate":2.5' in payload) == (True, True)


def test_a_schedule_is_run_paused_and_resumed(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    page = visitor.open("schedules")
    card = page.locator("li", has_text="cleanup.expired-tokens")
    expect(card.locator(".ticks li")).to_have_count(5)

    card.get_by_role("button", name="Run now").click()
    assert visitor.note() == "Enqueued cleanup.expired-tokens@2026-01-02T12:00:00Z+manual."

    card.locator("summary").click()
    card.get_by_role("button", name="Pause it").click()
    assert stage.app.schedules.get("cleanup.expired-tokens").paused

    card.get_by_role("button", name="Resume").click()
    assert not stage.app.schedules.get("cleanup.expired-tokens").paused


def test_a_queue_is_paused_and_resumed(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    page = visitor.open("limits")
    row = page.locator("tr", has=page.get_by_role("link", name="email", exact=True))

    row.locator("summary").click()
    row.get_by_role("button", name="Pause email").click()
    assert visitor.note().startswith("Paused queue:email")
    assert "queue:email" in stage.app.ports.flags.read().paused

    row.get_by_role("button", name="Resume").click()
    assert visitor.note().startswith("Resumed queue:email")
    assert "queue:email" not in stage.app.ports.flags.read().paused


def test_what_died_in_a_workflow_is_redriven_and_another_is_cancelled(visitor: Visitor, stage: Stage) -> None:
    visitor.log_in()
    page = visitor.open("workflows")
    page.get_by_role("link", name="year-2025").click()
    expect(page.locator(".box", has_text="report.part")).to_contain_text("1 dead, 11 completed")

    page.get_by_role("button", name="Redrive dead jobs").click()
    assert visitor.note() == "Redriven: 1 dead job. Jobs that wait for them continue."

    page.locator("summary", has_text="Cancel").click()
    page.get_by_role("button", name="Cancel it").click()
    assert visitor.note().startswith("Cancelled: ")
    assert stage.app.workflows.get("year-2025").record.state == "cancelled"
