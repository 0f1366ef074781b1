"""The code of an application that takes orders, or refuses them."""

from __future__ import annotations

CODE = """
from pydantic import BaseModel
from lanework import App, Discard, Jobs

orders = Jobs(queue="orders", lane="high", attempts=1)

class Order(BaseModel):
    pass

@orders.job("order.take")
def take(order: Order) -> None: ...

@orders.job("order.refuse")
def refuse(order: Order) -> None:
    raise Discard("sold out")

app = App(orders)
"""
