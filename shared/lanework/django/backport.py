"""
The backend of the backport `django-tasks`, for Django 5.2.

    TASKS = {"default": {"BACKEND": "lanework.django.backport.LaneworkBackend"}}
"""

from __future__ import annotations

from django_tasks import TaskContext, TaskResult, TaskResultStatus
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskError
from django_tasks.exceptions import InvalidTaskError, TaskResultDoesNotExist
from django_tasks.signals import task_enqueued, task_finished, task_started
from django_tasks.utils import normalize_json

from lanework.django.framework import Framework, with_options
from lanework.django.task_backend import LaneworkTasks

LaneworkTask = with_options(Task, __name__)


class LaneworkBackend(LaneworkTasks, BaseTaskBackend):
    """Tasks of `django_tasks` as jobs."""

    task_class = LaneworkTask
    framework = Framework(
        task=Task,
        task_result=TaskResult,
        task_error=TaskError,
        task_context=TaskContext,
        status=TaskResultStatus,
        invalid_task=InvalidTaskError,
        does_not_exist=TaskResultDoesNotExist,
        enqueued=task_enqueued,
        started=task_started,
        finished=task_finished,
        normalize_json=normalize_json,
    )
