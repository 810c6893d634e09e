"""Errors of requests that can't be served as they were sent."""

from werkzeug.exceptions import MethodNotAllowed, NotAcceptable

from api.http.paths import nothing_at
from api.http.problems import http_reply, unexpected_reply
from api.problem_types.problem_type import ProblemType, problem_type, reply_to_failure
from shared import errors
from shared.errors import FieldError, InvalidRequest
from shared.jobs.errors import InternalError

MALFORMED = problem_type(
    errors.MalformedRequest(
        "The body is not valid JSON: it goes wrong, or breaks off, at line 1, column 22. Mend that, and send it again."
    ),
    "The body is not valid JSON or not a valid form, or a header or the query string can't be read. `detail` says "
    "where it goes wrong. Names that occur twice in one object, NaN and numbers without end count as broken too.",
    "Mend what `detail` names. Let a library write the JSON instead of joining strings.",
)
INVALID = problem_type(
    InvalidRequest(
        [FieldError("/options/top_k", "must be a whole number from 1 to 100"), FieldError("/input", "is required")]
    ),
    "Fields of the body, or parameters of the query, are missing, unknown or wrong. `errors` names each of them, up "
    "to 20, with an RFC 6901 pointer; for a query the pointer is `/name`.",
    "Change each field as its `detail` says. `GET /api/v1/tasks` lists the options and models of each task type.",
)
TOO_LARGE = problem_type(
    errors.RequestTooLarge("The picture has 10,000,001 bytes; at most 10,000,000 are accepted. Send a smaller one."),
    "The body, the picture, or what the JSON holds is larger than its limit. `docs/api.md` lists the limits.",
    "Send less: scale the picture down, or split the text. The operator can raise `MAX_INPUT_CHARS` and "
    "`MAX_IMAGE_BYTES`.",
)
MEDIA_TYPE = problem_type(
    errors.MediaTypeNotSupported(),
    "`Content-Type` is missing, or is neither `application/json` nor, for pictures, `multipart/form-data`.",
    "Send JSON with `Content-Type: application/json`, or a form made by a library.",
)
CONTENT_ENCODING = problem_type(
    errors.ContentEncodingNotSupported(),
    "The body is compressed, as its `Content-Encoding` says.",
    "Send it uncompressed, without that header.",
)
TRANSFER_ENCODING = problem_type(
    errors.TransferEncodingNotSupported(),
    "The body has a transfer coding beside `chunked`, such as `gzip, chunked`.",
    "Send it with `Content-Length`, or `chunked` alone.",
)
TIMED_OUT = problem_type(
    errors.RequestTimedOut(),
    "The body did not arrive within `BODY_TIMEOUT_SECONDS`, or came too slowly: fewer than 1 KB in 4 s.",
    "Send it again, without pauses. Over a slow line, send a smaller picture, or its address.",
)
HOST = problem_type(
    errors.HostNotAllowed("The API does not go by the name 'askonce.example'. If it should, add it to ALLOWED_HOSTS."),
    "`Host` is neither a name of this machine to itself nor in `ALLOWED_HOSTS`. This keeps pages of the web from "
    "reaching an API on your own machine under a name of theirs.",
    "Call the API by a name that it has. The operator adds others to `ALLOWED_HOSTS`.",
)
ORIGIN = problem_type(
    errors.OriginNotAllowed(
        "A page of 'https://shop.example' sent this. If it may use this API, add its origin to CORS_ORIGINS."
    ),
    "A page of another site tried to change something: the browser names that site in `Origin`.",
    "Call from a page of the API's own origin or from a program. The operator adds the origins of pages that may call "
    "to `CORS_ORIGINS`.",
)
NOT_FOUND = problem_type(
    errors.NotFound(nothing_at("/api/v1/job", ["/api/v1/jobs", "/api/v1/jobs/{job_id}"])),
    "There is nothing at this path, or no job, record, response, key or tenant of this id. What belongs to another "
    "tenant is not found either. `detail` names the nearest paths.",
    "Check the path and the id. Jobs and records are deleted after `RETENTION_DAYS`: send the request again for a new "
    "job.",
)
METHOD = ProblemType(
    "method_not_allowed",
    "The path exists, but not for this method.",
    "Use one of the methods in `Allow`.",
    (lambda: http_reply(MethodNotAllowed(["POST"])),),
)
OTHER = ProblemType(
    "http_error",
    "The request can't be served for a reason that has no code of its own; the status says which.",
    "Compare the request with what `/docs` says of its endpoint.",
    (lambda: http_reply(NotAcceptable()),),
)
INTERNAL = ProblemType(
    "internal_error",
    "Something went wrong that nobody has foreseen: our fault. As the end of a job it was tried `MAX_ATTEMPTS` times.",
    "Send the request again. If it fails again, tell the operator its `X-Request-ID`, or the id of the job: the logs "
    "have the cause under it.",
    (unexpected_reply, reply_to_failure(InternalError())),
)

OF_REQUESTS = (
    *(MALFORMED, INVALID, TOO_LARGE, MEDIA_TYPE, CONTENT_ENCODING, TRANSFER_ENCODING, TIMED_OUT, HOST, ORIGIN),
    *(NOT_FOUND, METHOD, OTHER, INTERNAL),
)
