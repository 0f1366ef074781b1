"""
The application's own job types: a module or folder for each family, templates beside the code.

A new job type is a payload and a function in its family's module; a new family is a module and a word in `App(...)`.
What the rest of the application may ask for is in `jobs.producing`.
"""

from jobs import (
    analytics,
    cleanup,
    demo,
    email,
    engineering,
    exports,
    newsletter,
    notifications,
    payments,
    reports,
    scheduler,
    tickets,
    webhooks,
)
from lanework import App

app = App(
    email.email,
    email.urgent,
    newsletter.newsletter,
    notifications.notification,
    tickets.tickets,
    payments.payments,
    webhooks.webhook,
    reports.report,
    exports.export,
    engineering.pipeline,
    engineering.test,
    engineering.deployment,
    analytics.analytics,
    cleanup.cleanup,
    scheduler.scheduler,
    demo.demo,
)

__all__ = ["app"]
