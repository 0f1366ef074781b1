"""
The backend of Django's own tasks framework, in Django 6.0 and later.

    TASKS = {"default": {"BACKEND": "lanework.django.backend.LaneworkBackend"}}
"""

from __future__ import annotations

from django.tasks import TaskContext, TaskResult, TaskResultStatus
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.base import Task, TaskError
from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist
from django.tasks.signals import task_enqueued, task_finished, task_started
from django.utils.json import normalize_json

from lanework.django.framework import Framework, with_options
from lanework.django.task_backend import LaneworkTasks

LaneworkTask = with_options(Task, __name__)


class LaneworkBackend(LaneworkTasks, BaseTaskBackend):
    """Tasks of `django.tasks` as jobs."""

    task_class = LaneworkTask
    framework = Framework(
        task=Task,
        task_result=TaskResult,
        task_error=TaskError,
        task_context=TaskContext,
        status=TaskResultStatus,
        invalid_task=InvalidTask,
        does_not_exist=TaskResultDoesNotExist,
        enqueued=task_enqueued,
        started=task_started,
        finished=task_finished,
        normalize_json=normalize_json,
    )
