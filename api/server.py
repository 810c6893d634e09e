"""One server process: start and stop of the application, its front, background threads and heartbeat."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Mapping
from functools import partial

from flask import Flask

from api.app import create_app
from api.bootstrap import ApiServices, build_api
from api.dialects.base import Endpoint
from api.flask_adapter import OTHER_BODY_BYTES
from api.front.fast_path import FastPath
from api.front.front import Front, FrontLimits
from api.front.hooks import Hooks
from api.front.polls import Polls
from api.front.wsgi import Scope
from api.heartbeats import beat, heartbeat_file
from api.http.explained import EXPLAINING
from api.http.origins import Origins
from api.http1.listener import Listener
from api.metrics_board import folder_of
from api.recording import record_refused
from api.server_process import collect_rarely, set_up_process
from api.streams.reader import DeltaReader
from api.tiers.lookup import AsyncTiers
from api.tiers.memcached import AsyncMemcached
from api.tiers.redis import AsyncRedis, is_plain, redis_at
from api.tracing import CallIds
from shared.config import load_settings
from shared.errors import AskOnceError
from shared.logs.format import configure_logging

STOP_SECONDS = 4.0
"""A process that was told to stop ends after this time, even if a slow client or server keeps it waiting."""


class Server:
    """What runs in one process."""

    def __init__(self, front: Front, services: ApiServices) -> None:
        self._front = front
        self._services = services
        self._told_to_stop = asyncio.Event()

    async def run(self, listening: socket.socket) -> None:
        """Serve until told to stop by a signal; then answer the requests that are here, and write what is buffered."""
        loop = asyncio.get_running_loop()
        beating = loop.create_task(beat(heartbeat_file(os.getppid(), os.getpid())))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        settings = self._services.settings
        listener = Listener(
            listening,
            self._front.serve,
            max_connections=settings.max_connections,
            unread_seconds=settings.unread_timeout_seconds,
        )
        listener.start()
        self._services.lifecycle.started()
        await self._told_to_stop.wait()
        await listener.drain()
        beating.cancel()
        self._front.close()
        self._services.close()

    def _stop(self) -> None:
        """Release the waiters, and make sure that the process ends in time."""
        if self._services.lifecycle.serving:
            self._services.lifecycle.stopping()
            threading.Thread(target=self._services.waiters.release, name="release waiters", daemon=True).start()
            last_resort = threading.Timer(STOP_SECONDS, self._end)
            last_resort.daemon = True
            last_resort.start()
            self._told_to_stop.set()

    def _end(self) -> None:
        self._services.close()
        os._exit(0)


def create_server() -> Server:
    """Return the server that a process runs."""
    return make_server(build_api(load_settings()))


def make_server(services: ApiServices) -> Server:
    """Return a server of these services, with their background threads running."""
    settings = services.settings
    configure_logging(settings.log_level, settings.log_format)
    set_up_process()
    if settings.api_processes > 1:
        services.metrics.share(folder_of(os.getppid()))
    app = create_app(services)
    front = make_front(services, app, fast_path_of(services, app), polls_of(services))
    services.metrics.watch_front(front.use)
    services.tracer.start("askonce-api")
    services.request_log.start()
    if services.hit_audits is not None:
        services.hit_audits.start()
    services.listener.start()
    services.key_refresh.start()
    if settings.auth:
        services.rates.loop.start()
    collect_rarely()
    return Server(front, services)


def make_front(services: ApiServices, app: Flask, fast_path: FastPath | None, polls: Polls | None) -> Front:
    """Return the front of an application."""
    settings = services.settings
    endpoints: Mapping[str, Endpoint] = app.extensions["askonce_endpoints"]
    origins: Origins = app.extensions["askonce_origins"]
    limits = FrontLimits(
        lookup_threads=settings.api_threads,
        # More than there are connections: those who make or join jobs at the same time share one.
        job_threads=max(settings.api_threads, settings.database_pool_size),
        queue=settings.api_queue_size,
        body_budget=settings.body_budget_bytes,
        body_seconds=settings.body_timeout_seconds,
        bodies_arriving=settings.max_bodies_arriving,
        unread_budget=settings.unread_budget_bytes,
    )
    largest = {path: endpoint.max_body_bytes for path, endpoint in endpoints.items()}
    # They take the bodies of others.
    largest |= dict.fromkeys(EXPLAINING, max(largest.values()))
    hooks = Hooks(
        asks=lambda path: path in endpoints,
        max_body=lambda path: largest.get(path, OTHER_BODY_BYTES),
        # What a key allows is for the views to judge.
        knows=lambda scope: services.access.known_client(scope.headers) is not None,
        admit=lambda scope: services.access.client(scope.headers),
        refused=partial(_refused, services, endpoints),
        read_jobs=services.jobs.all_shown,
        for_origin=origins.headers,
    )
    return Front(app.wsgi_app, limits, hooks, fast_path, polls, deltas_of(services))


def _refused(
    services: ApiServices, endpoints: Mapping[str, Endpoint], scope: Scope, known_as: str, error: AskOnceError
) -> None:
    if (endpoint := endpoints.get(scope.path)) is not None:
        ids = CallIds(known_as, services.tracing.begin(scope.headers.get("traceparent"), scope.path))
        record_refused(ids, services.access.known_client(scope.headers), endpoint, error, services)


def fast_path_of(services: ApiServices, app: Flask) -> FastPath | None:
    """Return the fast path, None where the settings exclude it: it can't wait for records, and knows no TLS."""
    url = services.settings.redis_cache_url
    if services.settings.request_log_durable or not is_plain(url):
        return None
    first, second = AsyncMemcached(services.cache.l1), AsyncRedis(url, services.cache.l2.breaker)
    tiers = AsyncTiers(first, second, services.cache.freshness)
    return FastPath(services, app.extensions["askonce_dialects"], app.extensions["askonce_origins"], tiers)


def deltas_of(services: ApiServices) -> DeltaReader | None:
    """Return what reads answers while they are made; None for an address that only the blocking client understands."""
    url = services.settings.redis_cache_url
    return DeltaReader(redis_at(url)) if is_plain(url) else None


def polls_of(services: ApiServices) -> Polls:
    """Return the fast path of polls."""
    return Polls(services, services.settings.api_queue_size)
