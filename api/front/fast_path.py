"""The fast path of the endpoints that ask: hits without a thread and without Flask, and misses without Flask.

It takes valid calls whose head is plain. Flask's view serves all others, from their beginning. Both are made of the
same functions, and a test compares their responses.
"""

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol, TypeVar

from api.access.scopes import PREDICT_SCOPE
from api.bootstrap import ApiServices
from api.dialects.base import Dialect
from api.flask_adapter import request_id
from api.front.crowds import Crowds
from api.front.hosts import KnownHosts
from api.front.known_bodies import KnownBodies, KnownBody
from api.front.responses import Begun, headers_for
from api.front.wsgi import Scope
from api.hit import prepare
from api.http.directives import CacheDirectives, cache_directives
from api.http.intake import media_type_of
from api.http.origins import Origins
from api.http.reply import JSON, Reply
from api.limits.errors import QuotaExceeded
from api.predict import Asking, not_served, refusal
from api.prefer_wait import Held
from api.recording import Asked, CallProgress, asked_of, keep_record
from api.service import Accepted, Missed, NotServed, after_no_hit, wanted_by
from api.tiers.lookup import AsyncTiers
from shared.domain.request import Request
from shared.errors import AskOnceError, Overloaded

PARSED_HERE_BYTES = 16 * 1024
"""A new body that is larger is parsed in a thread, so that it does not hold up the event loop."""

MAX_BYTES = 256 * 1024
"""A body that is larger is the view's: even to look for it among the known ones would hold up the event loop."""

MAX_LEADERS = 3
"""How many calls for the same are waited for, one after the other, before a call goes on by itself."""

MAX_REMEMBERED_CHARACTERS = 200

SPECIAL = frozenset({"transfer-encoding", "content-encoding", "expect", "idempotency-key"})
"""Headers whose rules only the view knows."""

T = TypeVar("T")


class InThread(Protocol):
    """Runs a call in a thread. Raises Overloaded if too many wait for one."""

    def __call__(self, call: Callable[[], T], /) -> Awaitable[T]:
        """Return what the call returns."""


class Threads(NamedTuple):
    """Where a call's blocking parts run: what delays no job, and what makes or joins one."""

    reading: InThread
    jobs: InThread


_remembered_directives = functools.lru_cache(maxsize=1024)(cache_directives)


def directives_of(header: str | None) -> CacheDirectives:
    """Read a request's Cache-Control, and remember what usual ones say; long ones would fill the memory."""
    is_short = header is None or len(header) <= MAX_REMEMBERED_CHARACTERS
    return _remembered_directives(header) if is_short else cache_directives(header)


class FastPath:
    """The fast path of one server process. Used by its event loop."""

    def __init__(
        self, services: ApiServices, dialects: Mapping[str, Dialect], origins: Origins, tiers: AsyncTiers
    ) -> None:
        """`dialects`: by path; other paths that ask are the view's."""
        self._services = services
        self._dialects = dialects
        self._tiers = tiers
        self._access = services.access
        self._crowds: Crowds[KnownBody, Accepted | NotServed] = Crowds()
        self._traces_all = services.tracing.is_on
        # Apart, so that large ones do not push out small ones.
        self._small, self._large = KnownBodies(), KnownBodies()
        self._hosts = KnownHosts(services.settings.allowed_hosts)
        self._origins = origins

    def close(self) -> None:
        """Close the connections to the tiers."""
        self._tiers.close()

    async def serve(self, scope: Scope, body: bytes, threads: Threads) -> Begun | None:
        """Serve a POST to a path of a dialect, or return None: then the view has to do it."""
        dialect = self._dialects.get(scope.path)
        if dialect is None:
            return None
        headers = self._plain_head(scope) if len(body) <= MAX_BYTES else None
        client = None if headers is None else self._access.let_in(headers, PREDICT_SCOPE)
        if headers is None or client is None:
            return None
        known_as = request_id(headers.get("x-request-id", ""))
        progress = CallProgress(known_as, client, dialect, prefer=headers.get("prefer"), body=body)
        if self._traces_all or "traceparent" in headers:
            progress.trace = self._services.tracing.begin(headers.get("traceparent"), scope.path)
        try:
            rates = self._services.rates.try_take(client)
        except QuotaExceeded as err:
            return Begun(headers_for(progress.request_id), refusal(err, progress, self._services))
        if rates is None:
            return None
        progress.rates = rates
        try:
            known = await self._known_body(headers["content-type"], progress, threads.reading)
        except Overloaded:
            self._services.rates.put_back(client)
            raise
        outcome = None if known is None else await self._answer(known, headers, progress, threads)
        if outcome is None:
            self._services.rates.put_back(client)
            return None
        return Begun(headers_for(progress.request_id), outcome)

    async def _answer(
        self, known: KnownBody, headers: Mapping[str, str], progress: CallProgress[Dialect], threads: Threads
    ) -> Reply | Held | None:
        """Answer a call from memory or by a job; return None if the tiers hold a stale answer only."""
        progress.asked, progress.dialect = known.asked, progress.dialect.delivering(known.request)
        directives = directives_of(headers.get("cache-control"))
        asking = Asking(known.request, known.asked, directives, progress, self._services)
        found = await self._look_up(known, asking)
        if not isinstance(found, Missed):
            return found
        crowd = None if directives.bypasses else known
        for _ in range(MAX_LEADERS):
            if crowd is None or not self._crowds.is_led(crowd):
                break
            shared = await self._crowds.follow(crowd)
            if shared is not None:
                return await self._share(asking, found, shared, threads)
            found = await self._look_up(known, asking)
            if not isinstance(found, Missed):
                return found
        if crowd is None or self._crowds.is_led(crowd):
            return await threads.jobs(functools.partial(asking.ask_for_job, found))
        with self._crowds.led(crowd) as tell:
            return await threads.jobs(functools.partial(asking.ask_for_job, found, tell))

    async def _share(
        self, asking: Asking, missed: Missed, shared: Accepted | NotServed, threads: Threads
    ) -> Reply | Held:
        """Answer a call by what came of another one for the same."""
        if isinstance(shared, NotServed):
            return not_served(NotServed(missed.lookup, shared.error), asking.progress, self._services)
        joined = Accepted(shared.job, joined=True, lookup=missed.lookup)
        return await threads.jobs(functools.partial(asking.answer_with, joined))

    async def _look_up(self, known: KnownBody, asking: Asking) -> Reply | Missed | None:
        """Ask the tiers, unless the client does not want that; return None if they hold a stale answer only."""
        progress, directives = asking.progress, asking.directives
        try:
            lookup = None
            if directives.reads:
                wanted = wanted_by(known.request, directives)
                note = None if progress.trace is None else progress.trace.note
                lookup = await self._tiers.lookup(known.address, wanted, known.decode, note)
                if lookup.stale is not None:
                    return None
            if lookup is not None and lookup.answer is not None:
                return asking.hit(known.prepared(lookup.answer), lookup)
            found = after_no_hit(known.request, directives, lookup)
            return found if isinstance(found, Missed) else not_served(found, progress, self._services)
        except Exception:
            # As `recording_failure` does in a thread, whose log fields would here be those of other calls too.
            progress.mark_internal_error()
            keep_record(progress, self._services)
            raise

    def _plain_head(self, scope: Scope) -> Mapping[str, str] | None:
        """Return the headers, None if they are for the view to judge."""
        if scope.query_string or scope.authority is not None:
            return None
        headers: Mapping[str, str] | None = scope.headers.by_name
        if headers is None or not SPECIAL.isdisjoint(headers) or "content-length" not in headers:
            return None
        if media_type_of(headers.get("content-type", "")) != JSON:
            return None
        host, origin = headers.get("host", ""), headers.get("origin")
        if origin is not None and not self._origins.allows(origin, host):
            return None
        return headers if self._hosts.allow(host) else None

    async def _known_body(
        self, content_type: str, call: CallProgress[Dialect], in_thread: InThread
    ) -> KnownBody | None:
        """Return what a body means, None if it is invalid."""
        body, dialect = call.body, call.dialect
        is_small = len(body) <= PARSED_HERE_BYTES
        memory = self._small if is_small else self._large
        if (known := memory.find(dialect, call.client, body)) is not None:
            return known
        read = functools.partial(self._read, content_type, call)
        asked = read() if is_small else await in_thread(read)
        if asked is None:
            return None
        delivering = dialect.delivering(asked[0])
        prepare_here = functools.partial(prepare, prices=self._services.prices, dialect=delivering)
        known = KnownBody(*asked, len(body), prepare_here, memory.grown)
        memory.remember(dialect, body, known)
        return known

    def _read(self, content_type: str, call: CallProgress[Dialect]) -> tuple[Request, Asked] | None:
        try:
            request = call.dialect.read(content_type, call.body, call.client)
        except AskOnceError:
            return None
        return request, asked_of(request, redact=self._services.settings.log_payloads == "digest")
