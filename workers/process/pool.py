"""Celery's pool of threads. A message whose task can't even begin gives its place back."""

import logging
from concurrent.futures import Future
from functools import partial
from typing import Any

from celery.concurrency.thread import ApplyResult
from celery.concurrency.thread import TaskPool as CeleryTaskPool
from celery.worker.state import task_ready

logger = logging.getLogger(__name__)


class TaskPool(CeleryTaskPool):
    """Acknowledges a message when its thread ends by an error that is not the task's.

    Celery leaves such an error in the thread's future, where nobody looks. The message then counts as running for ever:
    as many of them as the worker has threads, such as messages whose body is a number, and it takes no job any more.
    """

    def on_apply(self, *args: Any, callback: Any = None, **options: Any) -> ApplyResult:  # noqa: ANN401  Celery's own
        """Run a task in a thread. `callback`: the method of its request that is called once the task has run."""
        result = super().on_apply(*args, callback=callback, **options)
        result.f.add_done_callback(partial(_let_go, callback))
        return result


def _let_go(callback: Any, ended: "Future[object]") -> None:  # noqa: ANN401  as above
    if ended.cancelled() or (error := ended.exception()) is None:
        return
    logger.error("Message of the broker ignored: it can't be run", extra={"reason": type(error).__name__})
    request = callback.__self__
    request.acknowledge()
    task_ready(request)
