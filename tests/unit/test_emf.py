from __future__ import annotations

import json
from datetime import timedelta

import pytest

from lanework.errors import ConfigError
from lanework.model.events import Action, Event
from lanework.model.lanes import Lane
from lanework.observe.emf import EmfSink
from lanework.settings import MetricSettings
from lanework.testing import NOON
from lanework.wiring import metric_sinks

SECOND = timedelta(seconds=1)


def an_event(action: Action, job_id: str = "job-1", type_: str = "user.otp", **facts: object) -> Event:
    ordinary = {"lane": Lane.CRITICAL, "queue": "email", "attempt": 1}
    return Event(action=action, at=NOON, job_id=job_id, type=type_, **(ordinary | facts))  # type: ignore[arg-type]


def test_a_batch_is_a_line_for_each_type_with_few_dimensions_and_the_ids_as_properties(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sink = EmfSink("shop")
    sink.emit(an_event(Action.JOB_STARTED, waited=2 * SECOND))
    sink.emit(an_event(Action.JOB_COMPLETED, ran_for=SECOND))
    sink.emit(an_event(Action.JOB_STARTED, "job-2", waited=SECOND))
    sink.emit(an_event(Action.JOB_DEAD, "job-2", ran_for=3 * SECOND))
    sink.emit(an_event(Action.JOB_STARTED, "job-3", "user.mail"))
    sink.emit(an_event(Action.JOB_ENQUEUED, "job-4", "user.never"))
    sink.flush()
    sink.flush()

    otp, mail = (json.loads(line) for line in capsys.readouterr().out.splitlines())

    (shape,) = otp["_aws"]["CloudWatchMetrics"]
    assert ("Lanework", [["lane", "type", "service"]]) == (shape["Namespace"], shape["Dimensions"])
    assert ("shop", "critical", "user.otp") == (otp["service"], otp["lane"], otp["type"])
    assert ([1, 1], [2000, 1000], [1, 0]) == (otp["Started"], otp["Wait"], otp["LateStarts"])
    assert ([1], [1], [1000, 3000]) == (otp["Completed"], otp["Deaths"], otp["RunTime"])
    assert (["job-1", "job-2"], "email") == (otp["job_ids"], otp["queue"])
    assert ("user.mail", {"Started"}) == (mail["type"], {"Started", "Wait", "LateStarts"} & set(mail))


def test_more_of_a_metric_than_one_line_takes_is_written_in_several(capsys: pytest.CaptureFixture[str]) -> None:
    sink = EmfSink("shop")
    for number in range(150):
        sink.emit(an_event(Action.JOB_COMPLETED, f"job-{number}", ran_for=SECOND))
    sink.flush()

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert sum(len(line.get("Completed", [])) for line in lines) == 150
    assert {line["type"] for line in lines} == {"user.otp"}


def test_metrics_are_written_only_where_they_are_wanted() -> None:
    assert metric_sinks(MetricSettings.from_env({})) == ()
    assert len(metric_sinks(MetricSettings.from_env({"LANEWORK_EMF": "true"}))) == 1
    with pytest.raises(ConfigError, match="LANEWORK_EMF must be true or false, got 'yes'"):
        MetricSettings.from_env({"LANEWORK_EMF": "yes"})
