"""Schedules: cron expressions, the times they name, what is kept of each. Pure."""
