"""What each mail of facts is given, and its subject."""

from __future__ import annotations

from typing import Any

CONTEXTS: dict[str, dict[str, Any]] = {
    "email.welcome": {"username": "John Doe", "dashboardUrl": "https://app.golive.dev/dashboard"},
    "email.pipeline-complete": {
        "pipelineName": "Production Deploy",
        "projectName": "My App",
        "status": "SUCCESS",
        "duration": "5m 23s",
        "triggeredBy": "John Doe",
        "pipelineUrl": "https://app.golive.dev/pipelines/123",
    },
    "email.test-results": {"projectName": "My App", "passed": 10, "failed": 2, "resultsUrl": "https://a.dev/1"},
    "email.deployment-notification": {
        "projectName": "My App",
        "environment": "production",
        "version": "1.2.3",
        "status": "deployed",
        "deploymentUrl": "https://app.golive.dev/deployments/1",
    },
    "email.alert": {"title": "Disk full", "message": "92 % on db-1", "source": "monitor"},
}
SUBJECTS = {
    "email.welcome": "Welcome, John Doe",
    "email.pipeline-complete": "My App: Production Deploy SUCCESS",
    "email.test-results": "My App: tests, 2 failed",
    "email.deployment-notification": "My App on production: deployed",
    "email.alert": "[CRITICAL] Disk full",
}
