"""Mails of a delivery platform: pipelines, tests, deployments, and alarms."""

from typing import Literal

from pydantic import Field

from jobs.email.family import IN_VAIN, email, urgent
from jobs.email.notice import Context, JobEventDocument, Link, Mail, Url, send_notice
from jobs.mail import Send, send_mail
from jobs.payloads import OneLine, Text, Title
from lanework import Run


class PipelineComplete(Context):
    """A pipeline that has ended; the fields are the facts that the mail shows."""

    pipeline_name: Title
    project_name: Title
    status: Title
    duration: Title
    triggered_by: Title
    pipeline_url: Url

    def notice(self) -> JobEventDocument:
        """Return what the mail says."""
        return JobEventDocument(
            subject=f"{self.project_name}: {self.pipeline_name} {self.status}",
            lines=(f"The pipeline {self.pipeline_name} of {self.project_name} has ended.",),
            facts={"Status": self.status, "Duration": self.duration, "Triggered by": self.triggered_by},
            link=Link(label="Open the pipeline", url=str(self.pipeline_url)),
        )


class SuiteResults(Context):
    """
    A suite's outcome.

    Attributes:
        project_name: Whose.
        passed, failed, skipped: How many tests.
        results_url: Where each of them is.
    """

    project_name: Title
    passed: int = Field(ge=0)
    failed: int = Field(ge=0)
    skipped: int = Field(default=0, ge=0)
    results_url: Url

    def notice(self) -> JobEventDocument:
        """Return what the mail says."""
        verdict = f"{self.failed} failed" if self.failed else "all passed"
        return JobEventDocument(
            subject=f"{self.project_name}: tests, {verdict}",
            lines=(f"The tests of {self.project_name} have run: {verdict}.",),
            facts={"Passed": str(self.passed), "Failed": str(self.failed), "Skipped": str(self.skipped)},
            link=Link(label="Open the results", url=str(self.results_url)),
        )


class DeploymentNotification(Context):
    """
    A deployment that began or ended.

    Attributes:
        project_name: What is deployed.
        environment: Where to.
        version: Which.
        status: How it stands.
        deployment_url: Where it can be followed.
    """

    project_name: Title
    environment: Title
    version: Title
    status: Title
    deployment_url: Url

    def notice(self) -> JobEventDocument:
        """Return what the mail says."""
        return JobEventDocument(
            subject=f"{self.project_name} on {self.environment}: {self.status}",
            lines=(f"{self.project_name} {self.version} on {self.environment}: {self.status}.",),
            facts={"Version": self.version, "Environment": self.environment, "Status": self.status},
            link=Link(label="Open the deployment", url=str(self.deployment_url)),
        )


class Alert(Context):
    """
    Something that somebody has to look at now.

    Attributes:
        title: What it is, in a few words.
        severity: How bad.
        message: What is known.
        source: What noticed it.
    """

    title: Title
    severity: Literal["warning", "error", "critical"] = "critical"
    message: Text
    source: OneLine = ""

    def notice(self) -> JobEventDocument:
        """Return what the mail says."""
        return JobEventDocument(
            subject=f"[{self.severity.upper()}] {self.title}",
            lines=(f"{self.title}.", self.message),
            facts={"Severity": self.severity} | ({"Source": self.source} if self.source else {}),
        )


@email.job("email.pipeline-complete", discard_on=IN_VAIN)
def pipeline_complete(mail: Mail[PipelineComplete], run: Run, *, send: Send = send_mail) -> None:
    """Tell that a pipeline has ended."""
    send_notice(mail.to, mail.context.notice(), run, send)


@email.job("email.test-results", discard_on=IN_VAIN)
def suite_results(mail: Mail[SuiteResults], run: Run, *, send: Send = send_mail) -> None:
    """Tell how a suite of tests came out."""
    send_notice(mail.to, mail.context.notice(), run, send)


@urgent.job("email.deployment-notification", discard_on=IN_VAIN)
def deployment_notification(mail: Mail[DeploymentNotification], run: Run, *, send: Send = send_mail) -> None:
    """Tell how a deployment stands."""
    send_notice(mail.to, mail.context.notice(), run, send)


@urgent.job("email.alert", lane="critical", attempts=5, discard_on=IN_VAIN)
def alert(mail: Mail[Alert], run: Run, *, send: Send = send_mail) -> None:
    """Call somebody to look."""
    send_notice(mail.to, mail.context.notice(), run, send)
