"""Schedules: add, sync with the code, trigger."""
