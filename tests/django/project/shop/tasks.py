"""Tasks, as a project has them."""

import asyncio
from datetime import timedelta

from django.db import connections
from frameworks import task

from lanework import Quota, Snooze
from lanework.django import job_options
from shop.models import Order

RAN: list[object] = []
"""What has run in this process, with its arguments."""


class CardDeclinedError(Exception):
    """What a task raises that no attempt can mend."""


@task
def greet(name, greeting="Hello"):
    """Greet somebody."""
    RAN.append(name)
    return f"{greeting}, {name}!"


@task
async def greet_async(name):
    RAN.append(name)
    return {"name": name}


@task(queue_name="email", priority=60)
def urgent():
    return None


@task(takes_context=True)
@job_options(attempts=3)
def flaky(context, fails):
    RAN.append(context.attempt)
    if context.attempt <= fails:
        msg = f"attempt {context.attempt} failed"
        raise ValueError(msg)
    return context.task_result.id


@task(takes_context=True)
@job_options(attempts=3)
async def flaky_async(context, fails):
    if context.attempt <= fails:
        msg = f"attempt {context.attempt} failed"
        raise ValueError(msg)
    return context.attempt


@task
@job_options(attempts=5, discard_on=(CardDeclinedError,))
def charge():
    msg = "no money"
    raise CardDeclinedError(msg)


@task
def snoozes_once():
    RAN.append("snoozes")
    if len(RAN) == 1:
        raise Snooze(timedelta(seconds=1))


@task
def returns_no_json():
    RAN.append("done")
    return object()


@task
@job_options(key="user_id", unique_for=timedelta(hours=1), lane="low", timeout=timedelta(minutes=10))
def export(user_id, *, fmt="csv"):
    return f"{user_id}.{fmt}"


@task
@job_options(quota=Quota(2, per=timedelta(hours=1), key="user_id"))
def reset_password(user_id):
    return user_id


@task
def count_orders(database):
    """Open a connection, and say how many orders there are."""
    return Order.objects.using(database).count()


@task
@job_options(attempts=1, timeout=timedelta(milliseconds=50))
async def hang():
    await asyncio.sleep(60)


@task
async def count_orders_async(database):
    return await Order.objects.using(database).acount()


@task
def lose_the_connection(database):
    """Break the connection as a server that restarts does."""
    connections[database].ensure_connection()
    connections[database].connection.close()


@task(queue_name="email")
@job_options(timeout=timedelta(seconds=20))
def slow_count(database):
    """Hold a connection for a moment, beside others."""
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.02)")
    return count_orders.func(database)
