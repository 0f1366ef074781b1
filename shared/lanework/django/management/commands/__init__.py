"""`manage.py lanework …` and `manage.py lanework_worker`."""
