"""The recipes of docs/middleware.md, as they are written there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from lanework import App, Jobs
from lanework.testing import app_in_memory, drain

GUIDE = Path(__file__).parents[2] / "docs" / "middleware.md"


class Order(BaseModel):
    """Payload of the application's jobs."""


def test_one_trace_goes_from_the_producer_through_a_job_to_the_job_that_it_enqueues() -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    family = Jobs(queue="orders")

    @family.job("order.ship")
    def ship(_: Order) -> None:
        app.enqueue("order.invoice", {})

    @family.job("order.invoice")
    async def invoice(_: Order) -> None: ...

    app = app_in_memory(App(family, middleware=[recipe("Tracing")()]))
    with trace.get_tracer("web").start_as_current_span("request"):
        app.enqueue("order.ship", {})
    drain(app)

    named = {span.context.span_id: span.name for span in spans.get_finished_spans()}
    parents = {span.name: named[span.parent.span_id] for span in spans.get_finished_spans() if span.parent is not None}
    assert len({span.context.trace_id for span in spans.get_finished_spans()}) == 1
    assert (parents["run order.ship"], parents["run order.invoice"]) == ("enqueue", "enqueue")
    assert list(named.values()).count("enqueue") == 2


def recipe(name: str) -> Any:
    """Return a class of the guide."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    imports, block = (next(one for one in blocks if word in one) for word in ("import contextmanager", f"class {name}"))
    namespace: dict[str, Any] = {}
    exec(imports.partition("\n\n\n")[0], namespace)  # noqa: S102 - our own guide
    exec(block, namespace)  # noqa: S102
    return namespace[name]
