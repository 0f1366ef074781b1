"""Rules about how much may run at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Complaint, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.doctor.case import Case

LEAST, MOST = 2, 1000
"""Of MaximumConcurrency (Lambda, "Using Lambda with Amazon SQS"); pollers have the same least."""

LEAST_MEMORY, LEAST_STORAGE, LARGEST = 128, 512, 10_240
"""Of a function, in MB (Lambda quotas)."""

UNRESERVED: Final = 100
"""Executions that Lambda doesn't let anybody reserve (Lambda, "Configuring reserved concurrency")."""


@rule(why="Lambda refuses other numbers; without one, a lane takes the account's whole concurrency")
def concurrency_range(case: Case) -> Iterator[Complaint]:
    """MaximumConcurrency, or the number of provisioned pollers instead, lies between 2 and 1,000."""
    for feed in case.graph.feeds:
        if feed.pollers is not None and feed.max_concurrency is not None:
            yield Complaint.of(
                feed,
                "it has a MaximumConcurrency and provisioned pollers",
                "leave one of the two out: Lambda takes either",
            )
        number = feed.max_concurrency if feed.pollers is None else feed.pollers
        if number is None or not LEAST <= number <= MOST:
            yield Complaint.of(
                feed,
                f"its {'MaximumConcurrency is' if feed.pollers is None else 'pollers are'} {number or 'not set'}",
                f"a number from {LEAST:,} to {MOST:,} (one at a time is a job type's concurrency=1)",
            )


@rule(why="the rest is throttled silently, and each throttle uses up a receive")
def reserved_concurrency(case: Case) -> Iterator[Complaint]:
    """A worker has at least as much reserved concurrency as its mapping starts, where it has any."""
    for feed in case.graph.feeds:
        worker = case.graph.function(feed.function)
        if worker is None or worker.reserved is None or not feed.is_on:
            continue
        if feed.bound is None or feed.bound > worker.reserved:
            yield Complaint.of(
                worker,
                f"{feed.bound or 'any number of'} executions are started at once, {worker.reserved} are reserved",
                f"ReservedConcurrentExecutions: {feed.bound or MOST}, or fewer by the mapping",
            )


@rule(why="the lanes throttle each other, so slow work delays urgent work; too large a reservation fails to deploy")
def account_concurrency(case: Case) -> Iterator[Complaint]:
    """The account's limit covers the lanes' concurrency, and what is reserved."""
    graph = case.graph
    wanted = sum(feed.bound or 0 for feed in graph.feeds if feed.is_on)
    reserved = sum(one.reserved or 0 for one in graph.functions)
    if wanted > graph.concurrency:
        yield Complaint(
            about=graph.stack,
            what=f"the lanes may run {wanted:,} at once, the account {graph.concurrency:,}",
            todo="ask for more (Service Quotas, Lambda, Concurrent executions), or lower the parameters …Workers",
        )
    if reserved and reserved > graph.concurrency - UNRESERVED:
        yield Complaint(
            about=graph.stack,
            what=f"{reserved:,} executions are reserved, of {graph.concurrency:,}; {UNRESERVED} must stay unreserved",
            todo="sam deploy --parameter-overrides ReserveCriticalConcurrency=false, or ask for more (Service Quotas)",
        )


@rule(why="CloudFormation refuses the function")
def function_size(case: Case) -> Iterator[Complaint]:
    """A function has 128 to 10,240 MB of memory, and 512 to 10,240 MB of /tmp."""
    for function in case.graph.functions:
        for what, key, least, has in (
            ("memory", "MemorySize: {}", LEAST_MEMORY, function.memory),
            ("/tmp", "EphemeralStorage: {{Size: {}}}", LEAST_STORAGE, function.storage),  # noqa: S108 - Lambda's
        ):
            if not least <= has <= LARGEST:
                nearest = min(max(has, least), LARGEST)
                yield Complaint.of(
                    function,
                    f"its {what} has {has:,} MB, Lambda gives {least:,} to {LARGEST:,}",
                    key.format(nearest) + ", or the lane's parameter",
                )


RULES: Final = (concurrency_range, reserved_concurrency, account_concurrency, function_size)
