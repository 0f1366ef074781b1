"""Migrations of `lanework.django`."""
