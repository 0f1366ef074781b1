"""Chains, groups and batches: what starts when, what is called back, and what can't be asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from lanework import (
    App,
    Discard,
    EnqueueError,
    InvalidOptionError,
    InvalidPayloadError,
    JobIdTakenError,
    Jobs,
    Run,
    State,
    UnknownJobTypeError,
    UnknownParentError,
    WorkflowClosedError,
    WorkflowNotFoundError,
    WorkflowState,
    batch,
    chain,
    group,
)
from lanework.engine.deadletters.redrive import Redriver, checked_edit
from lanework.engine.execution.attempt import in_order
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.messaging.delivery import Delivery
from lanework.engine.workflows.service import Workflows
from lanework.errors import ContendedError, UnavailableError
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause
from lanework.testing import NOON, Clock, app_in_memory, drain
from tests.support.fakes import Flaky, break_ports, mend_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lanework import Job, Receipt, Request, Workflow

MINUTE = timedelta(minutes=1)


class Number(BaseModel):
    n: int
    plus: int = 0


class Numbers(BaseModel):
    numbers: list[int]
    factor: int = 1


@dataclass(slots=True)
class Shop:
    """
    An application with three job types.

    Attributes:
        ran: What ran, in order.
        fails: Jobs that are to die.
    """

    app: App
    clock: Clock
    square: Job[Number, [Run], dict[str, int], dict[str, int]]
    several: Job[Number, [Run], list[int], list[int]]
    total: Job[Numbers, [Run], int, int]
    ran: list[str] = field(default_factory=list)
    fails: set[str] = field(default_factory=set)
    inside: dict[str, Callable[[Run], object]] = field(default_factory=dict)

    def note(self, run: Run) -> None:
        self.ran.append(run.job_id)
        if run.job_id in self.inside:
            self.inside[run.job_id](run)
        if run.job_id in self.fails:
            reason = "no use"
            raise Discard(reason)

    def job(self, n: int = 1, **options: Any) -> Request:
        return self.square.request(Number(n=n), **options)

    def states(self, *ids: str) -> list[State]:
        return [self.app.get(one).state for one in ids]

    def state(self, workflow_id: str = "w") -> WorkflowState:
        return self.app.workflows.get(workflow_id).record.state

    def tick(self, *, after: timedelta = timedelta(0)) -> None:
        self.clock.advance(after)
        Reconciler(self.app.ports).tick()
        Sweeper(self.app.ports).tick()
        drain(self.app)


@pytest.fixture(name="shop")
def a_shop() -> Shop:
    family = Jobs(queue="math", lane="high", attempts=1)

    @family.job("math.square")
    def square(number: Number, run: Run) -> dict[str, int]:
        shop.note(run)
        return {"n": number.n**2 + number.plus}

    @family.job("math.several")
    def several(number: Number, run: Run) -> list[int]:
        shop.note(run)
        return [number.n] * 3

    @family.job("math.total")
    def total(of: Numbers, run: Run) -> int:
        shop.note(run)
        return sum(of.numbers) * of.factor

    clock = Clock()
    shop = Shop(app_in_memory(App(family), clock), clock, square, several, total)
    return shop


def test_a_chain_hands_each_result_on_to_the_next(shop: Shop) -> None:
    plan = chain(
        shop.job(3),
        shop.square.link(given={"plus": 1}),
        shop.several.link(),
        shop.total.link("numbers", given={"factor": 2}),
    )

    receipt = shop.app.workflows.enqueue(plan, workflow_id="w")
    drain(shop.app)

    assert (receipt.workflow_id, receipt.duplicate, shop.state()) == ("w", False, WorkflowState.COMPLETED)
    assert shop.ran == ["w.1", "w.2", "w.3", "w.4"]
    assert shop.app.result("w.4", timeout=MINUTE) == 82 * 3 * 2


def test_a_result_too_large_for_its_own_item_is_handed_on(shop: Shop) -> None:
    shop.app.workflows.enqueue(
        chain(shop.several.request(Number(n=10**400)), shop.total.link("numbers")), workflow_id="w"
    )
    drain(shop.app)

    assert shop.app.result("w.2", timeout=MINUTE) == 3 * 10**400


def test_a_result_that_is_no_payload_kills_the_job_that_takes_it(shop: Shop) -> None:
    shop.app.workflows.enqueue(chain(shop.several.request(Number(n=1)), shop.square.link()), workflow_id="w")
    drain(shop.app)

    record = shop.app.get("w.2")
    assert (record.state, record.cause) == (State.DEAD, Cause.INVALID)
    assert record.error == "takes the result of 'w.1' for its payload, which is no object but list: name a field"
    assert shop.state() is WorkflowState.FAILED


def test_an_edited_redrive_of_a_job_whose_input_did_not_fit_runs_it_with_what_was_edited(shop: Shop) -> None:
    shop.app.workflows.enqueue(chain(shop.several.request(Number(n=1)), shop.square.link()), workflow_id="w")
    drain(shop.app)

    edit = checked_edit(shop.app.get("w.2"), '{"n": 5}', shop.app.registry)
    Redriver(shop.app.ports).redrive(shop.app.get("w.2"), edit=edit)
    drain(shop.app)

    assert (shop.app.result("w.2", timeout=MINUTE), shop.state()) == ({"n": 25}, WorkflowState.COMPLETED)


def test_a_group_in_a_chain_starts_together_and_is_gathered_page_by_page(shop: Shop) -> None:
    seen: list[int] = []
    shop.inside["gather"] = lambda run: seen.extend(
        one.result["n"] for one in shop.app.workflows.results(f"{run.workflow_id}.2")
    )
    plan = chain(shop.job(1), group(shop.job(n) for n in range(300)), shop.job(7, job_id="gather"))
    shop.app.workflows.enqueue(plan, workflow_id="w")
    drain(shop.app)

    assert seen == [n**2 for n in range(300)]
    assert (shop.ran[0], shop.ran[-1], len(shop.ran)) == ("w.1", "gather", 302)
    assert shop.state() is WorkflowState.COMPLETED


def test_a_workflow_waits_for_a_death_in_its_middle_to_be_retried(shop: Shop) -> None:
    shop.fails = {"w.2.2"}
    plan = chain(shop.job(1), group([shop.job(2), shop.job(3)]), shop.job(4))
    shop.app.workflows.enqueue(plan, workflow_id="w")
    drain(shop.app)
    assert (shop.state("w.2"), shop.state(), shop.states("w.3")) == (
        WorkflowState.FAILED,
        WorkflowState.RUNNING,
        [State.BLOCKED],
    )

    shop.fails.clear()
    assert shop.app.workflows.retry("w") == 1
    drain(shop.app)

    assert (shop.state("w.2"), shop.state(), shop.states("w.3")) == (
        WorkflowState.COMPLETED,
        WorkflowState.COMPLETED,
        [State.COMPLETED],
    )
    assert shop.ran.count("w.3") == 1


def a_batch(shop: Shop, count: int = 3) -> None:
    plan = batch(
        [shop.job(n) for n in range(count)],
        on_success=shop.job(job_id="success"),
        on_complete=shop.job(job_id="complete"),
        on_failure=shop.job(job_id="failure"),
    )
    shop.app.workflows.enqueue(plan, workflow_id="w")


def test_a_batch_that_completes_calls_back_once_and_cancels_the_other_callback(shop: Shop) -> None:
    a_batch(shop)
    drain(shop.app)

    assert sorted(shop.ran[3:]) == ["complete", "success"]
    assert shop.states("failure") == [State.CANCELLED]
    assert shop.state() is WorkflowState.COMPLETED


def test_a_batch_with_a_death_calls_back_what_is_for_that_and_the_rest_after_a_retry(shop: Shop) -> None:
    shop.fails = {"w.2"}
    a_batch(shop)
    drain(shop.app)
    assert [one for one in shop.ran if one in ("success", "complete", "failure")] == ["failure", "complete"]
    assert (shop.state(), shop.states("success")) == (WorkflowState.FAILED, [State.BLOCKED])

    shop.fails.clear()
    shop.app.workflows.retry("w")
    drain(shop.app)

    assert [shop.ran.count(one) for one in ("success", "complete", "failure")] == [1, 1, 1]
    assert shop.state() is WorkflowState.COMPLETED


def test_a_callback_that_died_is_retried_however_many_others_wait_for_the_workflow(shop: Shop) -> None:
    shop.fails = {"w.on-success"}
    shop.app.workflows.enqueue(batch([shop.job()], on_success=shop.job()), workflow_id="w")
    shop.app.enqueue_many([shop.job(job_id=f"other-{n}", after=["workflow/w"]) for n in range(120)])
    drain(shop.app)
    assert shop.states("w.on-success") == [State.DEAD]

    shop.fails.clear()
    assert shop.app.workflows.retry("w") == 1
    drain(shop.app)

    assert shop.states("w.on-success") == [State.COMPLETED]


def test_a_batch_of_which_a_job_is_cancelled_can_not_succeed(shop: Shop) -> None:
    shop.app.workflows.enqueue(
        batch([shop.job(1), shop.job(2, delay=MINUTE)], on_success=shop.job(job_id="success")), workflow_id="w"
    )
    drain(shop.app)

    shop.app.cancel("w.2")

    assert (shop.state(), shop.states("success")) == (WorkflowState.FAILED, [State.CANCELLED])


def cancelled_meanwhile(shop: Shop) -> Workflows:
    """Return a desk of which a workflow is cancelled between its places and its jobs."""

    def enqueue_many(requests: Iterable[Request]) -> list[Receipt[Any]]:
        shop.app.workflows.cancel("w")
        return shop.app.enqueue_many(requests)

    return Workflows(shop.app.ports, shop.app.registry, enqueue_many)


def test_what_is_enqueued_while_its_workflow_is_cancelled_does_not_run(shop: Shop) -> None:
    cancelled_meanwhile(shop).enqueue(group([shop.job(), shop.job()]), workflow_id="w")
    drain(shop.app)

    assert (shop.ran, shop.state()) == ([], WorkflowState.CANCELLED)
    assert shop.states("w.1", "w.2") == [State.CANCELLED] * 2


def test_what_is_added_while_its_workflow_is_cancelled_does_not_run(shop: Shop) -> None:
    shop.app.workflows.enqueue(batch([shop.job(delay=MINUTE)]), workflow_id="w")

    cancelled_meanwhile(shop).add("w", [shop.job(), shop.job()])
    drain(shop.app)

    assert (shop.ran, shop.state()) == ([], WorkflowState.CANCELLED)
    assert shop.states("w.2", "w.3") == [State.CANCELLED] * 2


def test_counts_and_progress_are_exact(shop: Shop) -> None:
    shop.fails = {"w.2", "w.3"}
    shop.app.workflows.enqueue(
        group([*(shop.job(n) for n in range(600)), shop.job(delay=MINUTE), shop.job(delay=MINUTE)]), workflow_id="w"
    )
    drain(shop.app)
    shop.app.cancel("w.602")

    status = shop.app.workflows.get("w")
    assert (status.counts.jobs, status.counts.completed, status.counts.dead) == (602, 598, 2)
    assert (status.counts.cancelled, status.counts.open, status.percent) == (1, 1, 99)


def test_the_end_of_a_workflows_job_costs_one_write_more(shop: Shop) -> None:
    shop.app.workflows.enqueue(group([shop.job(1), shop.job(2)]), workflow_id="w")
    ledger, store = Flaky(shop.app.ports.ledger), Flaky(shop.app.ports.workflows)
    lanes: Any = shop.app.ports.lanes
    shop.app.use(replace(shop.app.ports, ledger=ledger, workflows=store))

    message = lanes.receive(Lane.HIGH)
    shop.app.runtime.executor(in_order).execute(
        Delivery(body=message.body, lane=Lane.HIGH, time_left=MINUTE, lease=MINUTE, receives=1)
    )

    assert (ledger.calls, store.calls) == (["change", "change"], ["record_end"])


def test_jobs_are_added_from_inside_and_waited_for(shop: Shop) -> None:
    def crawl(run: Run) -> None:
        run.once("found", lambda: shop.app.workflows.add(str(run.workflow_id), [shop.job(n) for n in range(2)]))

    shop.inside["first"] = crawl
    plan = batch([shop.job(job_id="first")], on_success=shop.job(job_id="success"))
    shop.app.workflows.enqueue(plan, workflow_id="w")
    drain(shop.app)

    assert shop.ran == ["first", "w.2", "w.3", "success"]
    assert shop.app.workflows.get("w").counts.jobs == 3


def test_jobs_of_their_own_ids_that_are_added_twice_run_once_and_count_once(shop: Shop) -> None:
    def crawl(run: Run) -> None:
        for _ in range(2):
            shop.app.workflows.add(str(run.workflow_id), [shop.job(job_id="page-1")])

    shop.inside["first"] = crawl
    shop.app.workflows.enqueue(group([shop.job(job_id="first")]), workflow_id="w")
    drain(shop.app)

    assert (shop.ran, shop.state()) == (["first", "page-1"], WorkflowState.COMPLETED)
    assert shop.app.workflows.get("w").counts.jobs == 2


def test_nested_workflows_count_as_one_job_of_the_outer_one(shop: Shop) -> None:
    inner = batch([shop.job(1), shop.job(2)], on_success=shop.job(job_id="inner-success"))
    outer = batch([inner, chain(shop.job(3), shop.square.link())], on_success=shop.job(job_id="outer-success"))
    shop.app.workflows.enqueue(outer, workflow_id="w")
    drain(shop.app)

    assert shop.app.workflows.get("w").counts.completed == 2
    assert (shop.state("w.1"), shop.state("w.2"), shop.state()) == (WorkflowState.COMPLETED,) * 3
    assert {"inner-success", "outer-success"} < set(shop.ran)


def test_a_repeated_id_enqueues_nothing_new(shop: Shop) -> None:
    plan = group([shop.job(1), shop.job(2)])
    shop.app.workflows.enqueue(plan, workflow_id="w")
    drain(shop.app)

    assert shop.app.workflows.enqueue(plan, workflow_id="w").duplicate
    drain(shop.app)
    assert shop.ran == ["w.1", "w.2"]


def test_a_workflow_that_was_enqueued_in_part_goes_on_when_it_is_repeated(shop: Shop) -> None:
    plan = batch([shop.job(1), shop.job(2)], on_success=shop.job(job_id="success"))
    ledger, _ = break_ports(shop.app)
    ledger.broken.add("put_many")
    with pytest.raises(UnavailableError):
        shop.app.workflows.enqueue(plan, workflow_id="w")
    mend_ports(shop.app)

    assert not shop.app.workflows.enqueue(plan, workflow_id="w").duplicate
    drain(shop.app)
    assert (sorted(shop.ran), shop.state()) == (["success", "w.1", "w.2"], WorkflowState.COMPLETED)


def test_one_that_is_not_repeated_is_cancelled_after_an_hour(shop: Shop) -> None:
    plan = chain(group(shop.job(delay=24 * 60 * MINUTE) for _ in range(3)), shop.job())
    ledger, _ = break_ports(shop.app)
    ledger.mute.add("put_many")
    with pytest.raises(UnavailableError):
        shop.app.workflows.enqueue(plan, workflow_id="w")
    mend_ports(shop.app)

    for _ in range(30):
        shop.tick(after=5 * MINUTE)

    assert shop.state() is WorkflowState.CANCELLED
    assert {one.state for one in shop.app.inspector.page().jobs} == {State.CANCELLED}
    with pytest.raises(EnqueueError, match="enqueued only in part and cancelled an hour later; choose another id"):
        shop.app.workflows.enqueue(plan, workflow_id="w")


def test_an_end_that_was_not_told_is_found_by_the_reconciler(shop: Shop) -> None:
    a_batch(shop)
    store: Any = shop.app.ports.workflows
    record_end = store.record_end

    def crash(*_: Any) -> Any:
        raise UnavailableError

    store.record_end = crash
    drain(shop.app)
    store.record_end = record_end
    assert (len(shop.ran), shop.state()) == (3, WorkflowState.RUNNING)

    shop.tick(after=4 * MINUTE)
    assert shop.state() is WorkflowState.RUNNING
    shop.tick(after=MINUTE)
    assert (sorted(shop.ran[3:]), shop.state()) == (["complete", "success"], WorkflowState.COMPLETED)


@pytest.mark.parametrize("error", [ZeroDivisionError(), ContendedError("being written")])
def test_a_workflow_that_cant_be_looked_at_keeps_no_other_from_being_repaired(shop: Shop, error: Exception) -> None:
    others = [f"w-{number}" for number in range(10)]
    for workflow_id in ("odd", *others):
        shop.app.workflows.enqueue(group([shop.job()]), workflow_id=workflow_id)
    store = Flaky(shop.app.ports.workflows, broken={"record_end"})
    stand_in: Any = store
    shop.app.use(replace(shop.app.ports, workflows=stand_in))
    drain(shop.app)
    store.broken.clear()
    looks: list[timedelta] = []

    def names(workflow_id: str, number: int) -> tuple[str, ...]:
        if workflow_id == "odd":
            looks.append(shop.clock() - NOON)
            raise error
        found: tuple[str, ...] = store.port.names(workflow_id, number)
        return found

    store.answers["names"] = names

    for _ in range(30):
        shop.tick(after=MINUTE)

    assert {shop.state(one) for one in others} == {WorkflowState.COMPLETED}
    assert shop.state("odd") is WorkflowState.RUNNING
    is_ours = isinstance(error, ContendedError)
    assert len(looks) == (26 if is_ours else 1), "the next tick looks again, or, where nobody foresaw it, in an hour"


def test_a_place_whose_job_was_never_made_is_given_up_after_an_hour(shop: Shop) -> None:
    shop.app.workflows.enqueue(group([shop.job(), shop.job(delay=timedelta(hours=3))]), workflow_id="w")
    ledger, _ = break_ports(shop.app)
    ledger.broken.add("put")
    with pytest.raises(EnqueueError):
        shop.app.workflows.add("w", [shop.job()])
    mend_ports(shop.app)
    drain(shop.app)

    for _ in range(14):
        shop.tick(after=5 * MINUTE)
    assert shop.state() is WorkflowState.RUNNING
    shop.tick(after=timedelta(hours=2))

    assert shop.state() is WorkflowState.COMPLETED
    assert shop.app.workflows.get("w").counts.jobs == 2


def test_a_shard_that_was_never_made_is_given_up_by_whoever_waits(shop: Shop) -> None:
    plan = batch([shop.job()], on_complete=shop.job(job_id="complete"))
    shop.app.workflows.enqueue(plan, workflow_id="w")
    store: Any = shop.app.ports.workflows
    make, store.make_shards = store.make_shards, None
    with pytest.raises(TypeError):
        shop.app.workflows.add("w", [shop.job()])
    store.make_shards = make
    drain(shop.app)
    assert shop.state() is WorkflowState.RUNNING

    for _ in range(30):
        shop.tick(after=5 * MINUTE)

    assert (shop.state(), shop.ran) == (WorkflowState.COMPLETED, ["w.1", "complete"])


def test_cancelling_ends_what_waits_and_lets_the_callbacks_for_it_run(shop: Shop) -> None:
    plan = batch(
        [shop.job(1), shop.job(delay=MINUTE), chain(shop.job(delay=MINUTE), shop.job())],
        on_success=shop.job(job_id="success"),
        on_complete=shop.job(job_id="complete"),
    )
    shop.app.workflows.enqueue(plan, workflow_id="w")
    drain(shop.app)

    assert shop.app.workflows.cancel("w") == 3
    drain(shop.app)

    assert (shop.state(), shop.state("w.3")) == (WorkflowState.CANCELLED, WorkflowState.CANCELLED)
    assert (shop.ran, shop.states("success")) == (["w.1", "complete"], [State.CANCELLED])
    assert shop.app.workflows.cancel("w") == 0


def test_jobs_can_not_be_added_to_a_workflow_that_has_ended(shop: Shop) -> None:
    shop.app.workflows.enqueue(group([shop.job()]), workflow_id="w")
    drain(shop.app)

    with pytest.raises(WorkflowClosedError, match="workflow 'w' is completed and accepts no more jobs"):
        shop.app.workflows.add("w", [shop.job()])
    assert shop.ran == ["w.1"]


def found_closed_after_a_redrive(shop: Shop, *added: Callable[[], list[Request]]) -> None:
    """Let a job add to its workflow and die, the workflow end, and the job run again and add something else."""
    calls = iter(added)

    def crawl(run: Run) -> None:
        shop.app.workflows.add(str(run.workflow_id), next(calls)())

    shop.inside, shop.fails = {"first": crawl}, {"first"}
    shop.app.workflows.enqueue(group([shop.job(job_id="first")]), workflow_id="w")
    drain(shop.app)
    assert (shop.ran, shop.state()) == (["first", "page-1"], WorkflowState.FAILED)
    shop.fails = set()
    assert shop.app.workflows.retry("w") == 1
    drain(shop.app)


def test_a_job_that_added_and_died_is_redriven_after_its_workflow_has_ended_and_adds_the_same(shop: Shop) -> None:
    def pages() -> list[Request]:
        return [shop.job(job_id="page-1")]

    found_closed_after_a_redrive(shop, pages, pages)

    assert shop.app.get("first").error is None
    assert (shop.ran, shop.state()) == (["first", "page-1", "first"], WorkflowState.COMPLETED)
    assert shop.app.workflows.get("w").counts.jobs == 2
    assert shop.app.workflows.add("w", pages()) == ("page-1",)


@pytest.mark.parametrize("new", [{"job_id": "page-2"}, {}], ids=["under its own id", "under none"])
def test_a_redriven_job_can_add_nothing_new_to_a_workflow_that_has_ended(shop: Shop, new: dict[str, Any]) -> None:
    found_closed_after_a_redrive(
        shop, lambda: [shop.job(job_id="page-1")], lambda: [shop.job(job_id="page-1"), shop.job(**new)]
    )

    assert (shop.ran, shop.state()) == (["first", "page-1", "first"], WorkflowState.FAILED)
    assert str(shop.app.get("first").error).endswith(
        "workflow 'w' is failed and accepts no more jobs, not even from one of its own that runs again: "
        "enqueue what is new as a workflow of its own, app.workflows.enqueue(group([…]))"
    )


def test_a_redriven_job_that_adds_the_same_to_a_cancelled_workflow_cancels_no_other_that_was_redriven(
    shop: Shop,
) -> None:
    shop.inside["first"] = lambda run: shop.app.workflows.add(str(run.workflow_id), [shop.job(job_id="page-1")])
    shop.fails = {"first", "other"}
    plan = group([shop.job(job_id="first"), shop.job(job_id="other"), shop.job(job_id="later", delay=MINUTE)])
    shop.app.workflows.enqueue(plan, workflow_id="w")
    drain(shop.app)
    shop.app.workflows.cancel("w")
    assert shop.state() is WorkflowState.CANCELLED
    shop.fails = set()

    assert shop.app.workflows.retry("w") == 2
    drain(shop.app)

    assert shop.states("first", "page-1", "other", "later") == [State.COMPLETED] * 3 + [State.CANCELLED]


def test_a_job_whose_record_has_expired_is_new_to_a_workflow_that_has_ended(shop: Shop) -> None:
    shop.app.workflows.enqueue(group([shop.job(job_id="page-1")]), workflow_id="w")
    drain(shop.app)
    assert shop.app.workflows.add("w", [shop.job(job_id="page-1")]) == ("page-1",)

    shop.clock.advance(timedelta(days=15))

    with pytest.raises(WorkflowClosedError):
        shop.app.workflows.add("w", [shop.job(job_id="page-1")])


def test_a_list_shows_the_outermost_newest_first(shop: Shop) -> None:
    for number in range(3):
        shop.app.workflows.enqueue(group([group([shop.job()])]), workflow_id=f"w{number}")
        shop.clock.advance(timedelta(days=1))

    assert [one.workflow_id for one in shop.app.workflows.newest()] == ["w2", "w1", "w0"]
    assert [one.workflow_id for one in shop.app.workflows.newest(limit=2)] == ["w2", "w1"]


def test_a_graph_has_a_node_for_each_job_and_an_edge_for_each_wait(shop: Shop) -> None:
    plan = chain(shop.job(), batch([shop.job(), shop.job()], on_failure=shop.job()), shop.job())
    shop.app.workflows.enqueue(plan, workflow_id="w")

    graph = shop.app.workflows.graph("w")

    assert [(one.name, one.role, one.within) for one in graph.nodes] == [
        ("workflow/w", "workflow", None),
        ("w.1", "job", "workflow/w"),
        ("workflow/w.2", "workflow", "workflow/w"),
        ("w.2.1", "job", "workflow/w.2"),
        ("w.2.2", "job", "workflow/w.2"),
        ("w.2.on-failure", "failure", "workflow/w.2"),
        ("w.3", "job", "workflow/w"),
    ]
    assert {(one.parent, one.child) for one in graph.edges} == {
        ("w.1", "w.2.1"),
        ("w.1", "w.2.2"),
        ("workflow/w.2", "w.2.on-failure"),
        ("workflow/w.2", "w.3"),
    }


def test_a_graph_of_many_jobs_says_how_many_it_leaves_out(shop: Shop) -> None:
    shop.app.workflows.enqueue(group(shop.job() for _ in range(700)), workflow_id="w")

    graph = shop.app.workflows.graph("w", most=101)

    assert (len(graph.nodes), graph.left_out) == (101, 600)


def test_a_drawing_of_5000_jobs_begins_with_the_three_that_died_in_ten_calls(shop: Shop) -> None:
    shop.fails = {"w.4000", "w.300", "w.4999"}
    shop.app.workflows.enqueue(group(shop.job() for _ in range(5_000)), workflow_id="w")
    drain(shop.app)
    ledger, store = Flaky(shop.app.ports.ledger), Flaky(shop.app.ports.workflows)
    shop.app.use(replace(shop.app.ports, ledger=ledger, workflows=store))

    status, graph = shop.app.workflows.drawn("w", most=50)

    assert (status.counts.dead, status.counts.completed) == (3, 4_997)
    assert [one.name for one in graph.nodes[1:6]] == ["w.300", "w.4000", "w.4999", "w.1", "w.2"]
    assert (len(graph.nodes), graph.left_out) == (50, 4_951)
    assert ledger.calls == ["get_many"]
    assert store.calls == ["get", "shards", *["names"] * 4, *["children"] * 3]


def test_what_was_cancelled_or_is_open_is_drawn_before_what_completed(shop: Shop) -> None:
    shop.fails = {"w.5"}
    plan = group([shop.job(), shop.job(delay=MINUTE), shop.job(), shop.job(delay=MINUTE), shop.job()])
    shop.app.workflows.enqueue(plan, workflow_id="w")
    drain(shop.app)
    shop.app.cancel("w.4")

    def names(most: int) -> list[str]:
        return [one.name for one in shop.app.workflows.graph("w", most=most).nodes[1:]]

    assert names(10) == ["w.5", "w.4", "w.2", "w.1", "w.3"]
    assert names(3) == ["w.5", "w.4"]


def test_a_chain_is_drawn_in_its_order_from_where_it_stands(shop: Shop) -> None:
    shop.fails = {"w.3"}
    shop.app.workflows.enqueue(chain(*(shop.job() for _ in range(5))), workflow_id="w")
    drain(shop.app)

    def drawn(most: int) -> list[tuple[str, str | None]]:
        return [(one.name, one.state) for one in shop.app.workflows.graph("w", most=most).nodes[1:]]

    ahead = [("w.3", "dead"), ("w.4", "blocked"), ("w.5", "blocked")]
    assert drawn(4) == ahead
    assert drawn(6) == [("w.1", "completed"), ("w.2", "completed"), *ahead]


def test_workflows_within_share_the_room_that_those_beside_them_leave(shop: Shop) -> None:
    inner = group([shop.job(), shop.job(), shop.job()])
    shop.app.workflows.enqueue(group([inner, inner, shop.job()]), workflow_id="w")

    graph = shop.app.workflows.graph("w", most=6)

    assert [one.name for one in graph.nodes] == ["workflow/w", "workflow/w.1", "w.1.1", "w.1.2", "workflow/w.2", "w.3"]
    assert graph.left_out == 1 + 3


def test_a_job_that_was_added_twice_is_drawn_once(shop: Shop) -> None:
    shop.app.workflows.enqueue(group([shop.job(job_id="page-1"), shop.job(delay=MINUTE)]), workflow_id="w")
    shop.app.workflows.add("w", [shop.job(job_id="page-1")])

    graph = shop.app.workflows.graph("w")

    assert [one.name for one in graph.nodes] == ["workflow/w", "page-1", "w.2"]
    assert graph.left_out == 0


def test_ordinary_jobs_may_wait_for_a_workflow(shop: Shop) -> None:
    receipt = shop.app.workflows.enqueue(group([shop.job(1), shop.job(2)]))
    shop.app.enqueue_request(shop.job(job_id="later", after=[receipt.ref]))
    drain(shop.app)

    assert shop.ran[-1] == "later"


def test_what_makes_no_sense_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidOptionError, match="a group needs at least one job"):
        group([])
    with pytest.raises(InvalidOptionError, match="a chain needs at least one job"):
        chain()
    with pytest.raises(InvalidOptionError, match="takes the result of the job before it, and there is none"):
        shop.app.workflows.enqueue(chain(shop.square.link()))
    with pytest.raises(InvalidOptionError, match="takes the result of one job, and several come before it"):
        shop.app.workflows.enqueue(chain(group([shop.job()]), shop.square.link()))
    with pytest.raises(InvalidOptionError, match=r"takes='nubmers' names no field .* did you mean 'numbers'"):
        shop.total.link("nubmers")
    with pytest.raises(InvalidPayloadError, match="nn: no such field"):
        shop.square.link(given={"nn": 1})
    with pytest.raises(InvalidOptionError, match="workflow_id 'a b' can't be used"):
        shop.app.workflows.enqueue(group([shop.job()]), workflow_id="a b")
    with pytest.raises(UnknownJobTypeError, match=r"unknown job type 'math.squares', did you mean 'math.square'"):
        shop.app.request("math.squares", {"n": 1})
    with pytest.raises(WorkflowNotFoundError, match="no workflow 'nobody'"):
        shop.app.workflows.get("nobody")
    with pytest.raises(WorkflowNotFoundError):
        shop.app.workflows.add("nobody", [shop.job()])


def test_a_circle_through_a_workflow_is_refused_and_nothing_enqueued(shop: Shop) -> None:
    def refused(plan: Workflow, circle: str) -> None:
        with pytest.raises(InvalidOptionError, match=f"in a circle: {circle}$"):
            shop.app.workflows.enqueue(plan, workflow_id="w")

    refused(group([shop.job(after=["workflow/w"])]), "w.1 → workflow/w → w.1")
    refused(group([shop.job(after=["workflow/w/failed"])]), "w.1 → workflow/w/failed → workflow/w → w.1")
    refused(chain(group([shop.job(after=["w.2"])]), shop.job()), "w.1.1 → w.2 → workflow/w.1 → w.1.1")
    refused(batch([shop.job(after=["w.on-success"])], on_success=shop.job()), "w.1 → w.on-success → workflow/w → w.1")
    assert shop.app.inspector.page().jobs == ()
    assert shop.app.workflows.newest() == ()


def test_a_job_that_would_close_a_circle_can_not_be_added(shop: Shop) -> None:
    shop.app.workflows.enqueue(group([group([shop.job()]), shop.job()]), workflow_id="w")
    shop.app.workflows.enqueue(group([shop.job(after=["workflow/w/ended"])]), workflow_id="other")
    shop.app.enqueue_request(shop.job(job_id="late", after=["workflow/w"]))

    def refused(to: str, after: str, circle: str) -> None:
        with pytest.raises(InvalidOptionError, match=f"in a circle: {circle}$"):
            shop.app.workflows.add(to, [shop.job(after=[after])])

    refused("w", "workflow/w", "w.3 → workflow/w → w.3")
    refused("w", "late", "w.3 → late → workflow/w → w.3")
    refused("w.1", "late", "w.1.2 → late → workflow/w → workflow/w.1 → w.1.2")
    refused("w", "workflow/other", "w.3 → workflow/other → other.1 → workflow/w/ended → workflow/w → w.3")
    drain(shop.app)
    assert shop.states("late", "other.1") == [State.COMPLETED] * 2


def test_a_job_added_to_a_workflow_may_wait_for_others_in_it(shop: Shop) -> None:
    shop.app.workflows.enqueue(group([chain(shop.job(), shop.job()), shop.job()]), workflow_id="w")

    assert shop.app.workflows.add("w", [shop.job(after=["workflow/w.1", "w.1.2", "w.2"])]) == ("w.3",)
    drain(shop.app)

    assert (shop.ran[-1], shop.state()) == ("w.3", WorkflowState.COMPLETED)


def test_steps_that_are_refused_do_not_hold_up_the_workflow_they_were_to_be_added_to(shop: Shop) -> None:
    stranger = Jobs(queue="elsewhere")

    @stranger.job("else.where")
    def somewhere(_: Number) -> None:
        """Do nothing."""

    shop.app.workflows.enqueue(batch([shop.job()], on_success=shop.job()), workflow_id="w")
    with pytest.raises(UnknownJobTypeError):
        shop.app.workflows.add("w", [somewhere.request(Number(n=1))])
    with pytest.raises(UnknownParentError, match="can't wait for 'nobody'"):
        shop.app.workflows.add("w", [shop.job(after=["nobody"])])
    with pytest.raises(InvalidOptionError, match="there is none: begin with a request"):
        shop.app.workflows.add("w", [shop.square.link()])
    drain(shop.app)

    assert (shop.ran, shop.state()) == (["w.1", "w.on-success"], WorkflowState.COMPLETED)


def test_an_unknown_parent_of_a_step_is_refused_and_nothing_enqueued(shop: Shop) -> None:
    with pytest.raises(UnknownParentError, match=r"job 'w.2' can't wait for 'nobody'"):
        shop.app.workflows.enqueue(group([shop.job(), shop.job(after=["nobody"])]), workflow_id="w")

    assert shop.app.inspector.page().jobs == ()
    assert shop.app.workflows.newest() == ()


def test_a_repeated_workflow_is_a_duplicate_also_if_what_it_waited_for_has_expired(shop: Shop) -> None:
    shop.app.enqueue_request(shop.job(job_id="before"))
    plan = chain(shop.job(after=["before"]))
    shop.app.workflows.enqueue(plan, workflow_id="w")
    shop.app.ports.ledger.records.pop("before")  # type: ignore[attr-defined]

    assert shop.app.workflows.enqueue(plan, workflow_id="w").duplicate


def test_a_callback_under_the_id_of_another_job_of_the_plan_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidOptionError, match="'twice' is the id of a callback and of another job"):
        shop.app.workflows.enqueue(batch([shop.job(job_id="twice")], on_success=shop.job(job_id="twice")))
    called_back_twice = batch([shop.job()], on_complete=shop.job(job_id="twice"), on_failure=shop.job(job_id="twice"))
    with pytest.raises(InvalidOptionError, match="'twice' is the id of a callback"):
        shop.app.workflows.enqueue(called_back_twice)


def test_what_is_no_step_and_no_callback_is_refused_by_its_name(shop: Shop) -> None:
    plan: Any = shop.job()
    steps: Any = [shop.job(), shop.job()]
    job: Any = shop.square
    with pytest.raises(InvalidOptionError, match=r"not a list: chain\(a, b\) takes its steps one by one"):
        chain(steps)
    with pytest.raises(InvalidOptionError, match=r"a group takes what job.request\(…\), .* returned, not a Job"):
        group([job])
    with pytest.raises(InvalidOptionError, match=r"on_success takes what job.request\(…\) returned, not a Job"):
        batch([shop.job()], on_success=job)
    with pytest.raises(InvalidOptionError, match="on_failure can't take a result, there are several"):
        batch([shop.job()], on_failure=shop.square.link())
    with pytest.raises(InvalidOptionError, match="a workflow is what chain, group or batch returned, not a Request"):
        shop.app.workflows.enqueue(plan)
    shop.app.workflows.enqueue(group([shop.job()]), workflow_id="w")
    with pytest.raises(InvalidOptionError, match=r"a workflow takes what .* not a Job"):
        shop.app.workflows.add("w", [job])


def test_a_callback_of_another_application_is_refused_and_nothing_enqueued(shop: Shop) -> None:
    elsewhere = Jobs(queue="elsewhere")

    @elsewhere.job("else.where")
    def somewhere(_: Number) -> None:
        """Do nothing."""

    with pytest.raises(UnknownJobTypeError, match=r"unknown job type 'else.where'"):
        shop.app.workflows.enqueue(batch([shop.job()], on_success=somewhere.request(Number(n=1))))
    assert shop.app.inspector.page().jobs == ()
    assert shop.app.workflows.newest() == ()


@pytest.mark.parametrize("taken", ["w.2", "w.on-success"])
def test_a_workflow_is_told_that_somebody_has_the_id_of_one_of_its_jobs(shop: Shop, taken: str) -> None:
    shop.app.enqueue_many([shop.job(9, job_id=taken, delay=1000 * MINUTE)])

    with pytest.raises(JobIdTakenError, match=taken):
        shop.app.workflows.enqueue(batch([shop.job(1), shop.job(2)], on_success=shop.job(3)), workflow_id="w")
