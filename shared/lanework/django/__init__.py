"""Lanework for Django projects: name it in `INSTALLED_APPS`. Everything here needs the extra `django`."""
