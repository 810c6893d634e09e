"""Celery only: what runs jobs and maintenance."""
