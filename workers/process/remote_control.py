"""Which of Celery's remote control commands a worker obeys."""

from celery.worker.control import Panel

CHANGES_SOMETHING = "control"
"""Celery's word for commands such as `shutdown`, `rate_limit` and `cancel_consumer`; the others only ask."""


def only_answer_questions() -> None:
    """Let this process obey no command that changes something, from wherever it comes.

    Who can write to the broker could stop all jobs by one of them, until somebody starts every worker anew: a worker
    that takes one job an hour looks well, and still answers a ping.
    """
    for name, command in Panel.meta.items():
        if command.type == CHANGES_SOMETHING:
            Panel.data.pop(name, None)
