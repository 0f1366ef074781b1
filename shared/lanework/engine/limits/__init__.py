"""Slots of limits: acquire, release, wait."""
