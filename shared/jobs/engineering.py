"""The families `pipeline`, `deployment` and `test`: short jobs whose stages are done once each."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final, TypedDict

from pydantic import EmailStr, Field

from jobs.clock import utc_now
from jobs.email import DeploymentNotification, Mail, PipelineComplete, deployment_notification, pipeline_complete
from jobs.payloads import Id, Payload, Title
from jobs.store import Row, Rows, app_store
from lanework import Jobs, Public, Run

pipeline = Jobs(queue="pipeline", lane="high", attempts=3, concurrency=10, keep_completed=100, keep_failed=500)
test = Jobs(queue="test", lane="medium", attempts=3, concurrency=5, keep_completed=100, keep_failed=500)
deployment = Jobs(queue="deployment", lane="high", attempts=3, concurrency=3, keep_completed=100, keep_failed=500)

DASHBOARD: Final = "https://app.example.com"
Stages = Annotated[tuple[Title, ...], Field(min_length=1, max_length=50)]
Work = Callable[[str], None]


class Pipeline(Payload):
    """
    A pipeline to run.

    Attributes:
        name, project: Which, and whose.
        triggered_by: Who started it.
        stages: What is done, in this order.
        notify: Who gets a mail when it has ended.
    """

    name: Public[Title]
    project: Public[Title]
    triggered_by: Title = "a schedule"
    stages: Stages = ("build", "test", "publish")
    notify: tuple[EmailStr, ...] = ()


class Suite(Payload):
    """
    A suite of tests to run.

    Attributes:
        project: Whose.
        suites: The parts of it.
    """

    project: Public[Title]
    suites: Stages = ("unit", "integration")


class Deployment(Payload):
    """
    A version to deploy.

    Attributes:
        project, version, environment: What, which, and where to.
        notify: Who gets a mail when it is there.
    """

    project: Public[Title]
    version: Public[Id]
    environment: Public[Title] = "production"
    notify: tuple[EmailStr, ...] = ()


class Ran(TypedDict):
    """
    What such a job answers.

    Attributes:
        stages: The stages that were done, in order.
        seconds: How long the last attempt took.
    """

    stages: list[str]
    seconds: float


def nothing_to_do(_: str) -> None:
    """Do a stage: this example has no machines to do it on."""


@pipeline.job("pipeline.run", timeout=timedelta(seconds=25))
def run_pipeline(
    asked: Pipeline,
    run: Run,
    *,
    work: Work = nothing_to_do,
    store: Callable[[], Rows] = app_store,
    now: Callable[[], datetime] = utc_now,
) -> Ran:
    """Run a pipeline stage by stage, keep how it went for the reports, and have it told."""
    began = now()
    ran = _stages(asked.stages, run, work, began, now)
    fields = {"pipeline": asked.name, "status": "success", "seconds": f"{ran['seconds']:.3f}"}
    store().add_row(Row(kind="pipeline", id=run.job_id, at=began, fields=fields))
    if asked.notify:
        context = PipelineComplete.model_validate(
            {
                "pipelineName": asked.name,
                "projectName": asked.project,
                "status": "SUCCESS",
                "duration": f"{ran['seconds']:.0f}s",
                "triggeredBy": asked.triggered_by,
                "pipelineUrl": f"{DASHBOARD}/pipelines/{run.job_id}",
            }
        )
        pipeline_complete.enqueue(Mail[PipelineComplete](to=asked.notify, context=context), job_id=f"{run.job_id}.mail")
    return ran


@test.job("test.run", timeout=timedelta(seconds=25))
def run_tests(asked: Suite, run: Run, *, work: Work = nothing_to_do, now: Callable[[], datetime] = utc_now) -> Ran:
    """Run a suite of tests part by part."""
    return _stages(asked.suites, run, work, now(), now)


@deployment.job("deployment.run", timeout=timedelta(seconds=25))
def deploy(asked: Deployment, run: Run, *, work: Work = nothing_to_do, now: Callable[[], datetime] = utc_now) -> Ran:
    """Deploy a version, and have it told."""
    ran = _stages(("prepare", "migrate", "switch", "verify"), run, work, now(), now)
    if asked.notify:
        context = DeploymentNotification.model_validate(
            {
                "projectName": asked.project,
                "environment": asked.environment,
                "version": asked.version,
                "status": "deployed",
                "deploymentUrl": f"{DASHBOARD}/deployments/{run.job_id}",
            }
        )
        mail = Mail[DeploymentNotification](to=asked.notify, context=context)
        deployment_notification.enqueue(mail, job_id=f"{run.job_id}.mail")
    return ran


def _stages(stages: tuple[str, ...], run: Run, work: Work, began: datetime, now: Callable[[], datetime]) -> Ran:
    """Do each stage once, over all attempts, and tell how far it is."""
    for number, stage in enumerate(stages):
        run.progress(100 * number // len(stages), stage)
        run.once(f"stage-{number}", lambda stage=stage: work(stage))  # type: ignore[misc]
        run.log(f"{stage} done")
    run.progress(100, "done")
    return Ran(stages=list(stages), seconds=(now() - began).total_seconds())
