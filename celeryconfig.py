"""Celery's settings: the queues, what goes where, and how often maintenance runs. The broker comes from the settings.

Every queue has an exchange and a routing key of its own; without them Celery would bind them all to the same ones.
"""

from kombu import Exchange, Queue  # type: ignore[attr-defined]  # kombu exports lazily

QUEUE_NAMES = ("text", "image", "maintenance")

task_queues = [Queue(name, Exchange(name), routing_key=name) for name in QUEUE_NAMES]
task_create_missing_queues = False
task_default_queue = "maintenance"
task_default_exchange = "maintenance"
task_default_routing_key = "maintenance"

accept_content = ["json"]
task_serializer = "json"
task_ignore_result = True
task_store_errors_even_if_ignored = False

# The row in PostgreSQL decides who runs a job; a message that comes twice finds nothing to claim.
task_acks_late = True
task_reject_on_worker_lost = False
worker_prefetch_multiplier = 1
task_send_sent_event = False
worker_send_task_events = False  # workers/process/job_events.py tells Flower of jobs
worker_enable_prefetch_count_reduction = False
worker_hijack_root_logger = False
worker_enable_remote_control = True
enable_utc = True
timezone = "UTC"

broker_connection_retry_on_startup = True
broker_connection_max_retries = None
task_publish_retry = False

# kombu sets no timeouts of its own, so that a frozen broker would hold its caller for ever; and without max_retries it
# would try to connect again and again wherever it finds no connection, the worker's event loop included. The consumer
# itself does come back: see workers/process/consumer.py.
broker_transport_options = {
    "socket_timeout": 3,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 5,
    "max_retries": 0,
}
worker_consumer = "workers.process.consumer:Consumer"

SWEEP_SECONDS = 1.0
FOLD_SECONDS = 1.0
DRAIN_SECONDS = 1.0
PRUNE_SECONDS = 3.0

# A sweep that could not run in time is dropped, not piled up.
beat_scheduler = "workers.process.consumer:Scheduler"
beat_schedule = {
    name: {"task": f"askonce.{name}", "schedule": seconds, "options": {"queue": "maintenance", "expires": 10 * seconds}}
    for name, seconds in (
        ("sweep_jobs", SWEEP_SECONDS),
        ("fold_statistics", FOLD_SECONDS),
        ("drain_overflow", DRAIN_SECONDS),
        ("prune", PRUNE_SECONDS),
    )
}
