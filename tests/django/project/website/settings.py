"""A Django project on SQLite and PostgreSQL, with whichever tasks framework is installed."""

import os
from pathlib import Path

from frameworks import APPS, BACKEND

HERE = Path(os.environ["TEST_FOLDER"])
SECRET_KEY = "none"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["lanework.django", "shop", *APPS]
ROOT_URLCONF = "website.urls"

POSTGRESQL = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": "postgres",
    "USER": "lanework",
    "HOST": "127.0.0.1",
    "PORT": os.environ["TEST_PORT"],
}
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HERE / "db.sqlite3"},
    "postgresql": POSTGRESQL,
}

TASKS = {"default": {"BACKEND": BACKEND, "QUEUES": ["default", "email"]}}
