"""The state of queues, providers and workers as JSON documents."""

from dataclasses import asdict
from typing import Any

from shared.operation.providers import ProviderState
from shared.operation.queues import QueueState
from shared.operation.workers import WorkerState
from shared.times import rfc3339

DIGITS = 3
"""Seconds are rounded to milliseconds."""


def queue_document(queue: QueueState) -> dict[str, Any]:
    """Return a queue of jobs."""
    oldest = round(queue.oldest_due_seconds, DIGITS)
    return {**asdict(queue), "waiting": queue.waiting, "oldest_due_seconds": oldest}


def provider_document(provider: ProviderState) -> dict[str, Any]:
    """Return a provider with its models."""
    return asdict(provider)


def worker_document(worker: WorkerState) -> dict[str, Any]:
    """Return a worker."""
    return {**asdict(worker), "started_at": rfc3339(worker.started_at), "late": worker.late}
