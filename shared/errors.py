"""The error tree. Errors know nothing of HTTP: `api/http/problems.py` maps them to statuses.

AskOnceError
├── ConfigurationError              a setting is wrong; the process must not start
├── RequestError                    the caller can mend it
│   ├── MalformedRequest
│   ├── InvalidRequest              names each wrong field
│   ├── RequestTooLarge
│   ├── MediaTypeNotSupported
│   ├── HostNotAllowed, OriginNotAllowed, RequestTimedOut
│   │   what a key does not allow: see `api/access/errors.py`; of models: see `api/http/errors.py`
│   ├── ContentEncodingNotSupported, TransferEncodingNotSupported
│   ├── NotFound
│   ├── JobAlreadyEnded
│   └── NotCached
├── Unavailable                     we can't serve it now; try again later
│   ├── Overloaded
│   ├── ServerDown                  a cache server or the broker
│   ├── DatabaseUnavailable
│   │   └── DatabaseBusy            PostgreSQL answers, but did not do this
│   │       ├── StatementOverdue
│   │       ├── TransactionConflict
│   │       └── DatabaseExhausted
│   ├── TierUnavailable
│   ├── RequestNotRecorded
│   ├── QueueFull
│   └── ProviderNotConfigured
├── JobError                        ends, or delays, a job: see `shared/jobs/errors.py`
└── ContentLocked                   another job is paying for the same picture
"""

from dataclasses import dataclass
from typing import ClassVar


class AskOnceError(Exception):
    """Base of every error we raise; the docstring of a class is its default message."""

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False
    remedy: ClassVar[str] = ""
    """What to do next, for errors whose detail is often the words of others; see `JobFailure.of`."""

    def __init__(self, detail: str | None = None) -> None:
        """Keep `detail`, a sentence for the caller that says what to do next."""
        self.detail = detail or (type(self).__doc__ or self.title).partition("\n")[0]
        super().__init__(self.detail)


class ConfigurationError(AskOnceError):
    """A setting has a wrong value."""

    code = "configuration_error"
    title = "Wrong setting"


class RequestError(AskOnceError):
    """The request can't be served as it stands."""

    task_type: str | None = None
    """Of the request, where that could be read before the error was found."""


class MalformedRequest(RequestError):
    """The body is not what its media type says. Mend it, or send it with the right Content-Type."""

    code = "malformed_request"
    title = "Malformed request"


MAX_FIELD_ERRORS = 20
"""At most this many wrong fields are named; more would not help the caller."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: an RFC 6901 pointer into the body, and what is wrong with it."""

    pointer: str
    detail: str


class InvalidRequest(RequestError):
    """One or more fields are wrong."""

    code = "invalid_request"
    title = "Invalid request"

    def __init__(self, errors: list[FieldError]) -> None:
        """`errors`: at least one; those beyond MAX_FIELD_ERRORS are left out."""
        self.errors = errors[:MAX_FIELD_ERRORS]
        more = "; and more" if len(errors) > MAX_FIELD_ERRORS else ""
        super().__init__("; ".join(f"{e.pointer or '/'}: {e.detail}" for e in self.errors) + more)


class RequestTooLarge(RequestError):
    """The body or the picture is larger than this server accepts. Send a smaller one."""

    code = "request_too_large"
    title = "Request too large"


class MediaTypeNotSupported(RequestError):
    """Send application/json or multipart/form-data."""

    code = "media_type_not_supported"
    title = "Media type not supported"


class HostNotAllowed(RequestError):
    """The Host header names a host that this API does not go by. The operator can add it to ALLOWED_HOSTS."""

    code = "host_not_allowed"
    title = "Host not allowed"


class OriginNotAllowed(RequestError):
    """The request comes from a page of another site. The operator can add its origin to CORS_ORIGINS."""

    code = "origin_not_allowed"
    title = "Origin not allowed"


class ContentEncodingNotSupported(RequestError):
    """The body is compressed or encoded, as its Content-Encoding says. Send it as it is, without that header."""

    code = "content_encoding_not_supported"
    title = "Content-Encoding not supported"


class TransferEncodingNotSupported(RequestError):
    """The body's Transfer-Encoding is not 'chunked'. Send it as it is, with Content-Length or chunked."""

    code = "transfer_encoding_not_supported"
    title = "Transfer-Encoding not supported"


class RequestTimedOut(RequestError):
    """The body did not arrive in time. Send it again, without pauses."""

    code = "request_timeout"
    title = "Request timeout"


class NotFound(RequestError):
    """There is nothing here. Check the address and the id in it."""

    code = "not_found"
    title = "Not found"


class JobAlreadyEnded(RequestError):
    """The job has ended already and can't be cancelled. Read it for its result."""

    code = "job_already_ended"
    title = "Job already ended"


class NotCached(RequestError):
    """No tier holds the answer, and the request said only-if-cached. Send it without that to have a job made for it."""

    code = "not_cached"
    title = "Not cached"


class Unavailable(AskOnceError):
    """The service can't do this now. Try again shortly."""

    code = "unavailable"
    title = "Unavailable"
    retryable = True


class Overloaded(Unavailable):
    """More requests come in than can be served. Send it again a little later."""

    code = "overloaded"
    title = "Overloaded"


class ServerDown(Unavailable):
    """A server that we depend on does not answer. Try again shortly."""

    code = "server_down"
    title = "Server down"


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer, so this can't be done now. Try again shortly."""

    code = "database_unavailable"
    title = "Database unavailable"


class DatabaseBusy(DatabaseUnavailable):
    """PostgreSQL answers, but could not do this now. Try again shortly."""

    code = "database_busy"
    title = "Database busy"


class StatementOverdue(DatabaseBusy):
    """PostgreSQL took too long over this, and has given it up. Try again shortly."""

    code = "statement_overdue"
    title = "Statement overdue"


class TransactionConflict(DatabaseBusy):
    """PostgreSQL has undone this in favour of what happened at the same time. Try again."""

    code = "transaction_conflict"
    title = "Transaction conflict"


class DatabaseExhausted(DatabaseBusy):
    """PostgreSQL is out of disk space, memory or connections. The operator has to give it more."""

    code = "database_exhausted"
    title = "Database exhausted"


class TierUnavailable(Unavailable):
    """A cache tier does not answer, so it can't be purged. Try again shortly."""

    code = "tier_unavailable"
    title = "Cache tier unavailable"


class RequestNotRecorded(Unavailable):
    """The request can't be put on record now, and here none is answered without. Try again shortly."""

    code = "request_not_recorded"
    title = "Request not recorded"


class QueueFull(Unavailable):
    """As much waits for workers as is let. Try again later."""

    code = "queue_full"
    title = "Queue full"


class ProviderNotConfigured(Unavailable):
    """No provider is configured for this task. The operator has to set an API key."""

    code = "provider_not_configured"
    title = "Provider not configured"
    retryable = False
