import os

import django
from django.apps import apps

# As manage.py does it: a function imports this module first. Models are imported below, or in the jobs.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "@settings@")
if not apps.ready:
    django.setup()
