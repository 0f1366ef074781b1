"""Declaring jobs: families, job types, requests, and what a job's code is given."""
