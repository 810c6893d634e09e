"""What the OpenAPI document says first."""

from typing import Any

INTRODUCTION = """\
AskOnce answers AI requests once and remembers them. A question that was answered before is answered from a cache, at
once and for free; a new one becomes a job, which a worker puts to an AI provider. Who asks the same meanwhile shares
that job.

## Ask

`POST /api/v1/predict` takes a task type, an input and options. It answers with

- **200** and the result, if a tier of the cache has it,
- **202** and a job that is safe on disk, if not.

Poll the job at `urls.self` until its `status` is `completed`, `failed` or `cancelled`; or send `Prefer: wait=20` with
the request, and get the answer as soon as it is there. All jobs have the same members; `result` depends on
`task_type`.

`Cache-Control` says what the cache may do: `no-cache` asks anew, `no-store` also keeps nothing, `max-age=60` takes
only what is not older than a minute, and `only-if-cached` never makes a job. `Cache-Status` says what each tier did.

## Keys

Where this installation asks for keys, send yours as `Authorization: Bearer ak_...` or `X-API-Key: ak_...`.

## Errors

Errors are `application/problem+json` (RFC 9457). `code` is for programs, `detail` says what to do next, and `type`
and the header `Link` lead to a paragraph about the error, at [/docs/errors](/docs/errors). Every response has
`X-Request-ID`, which is in our logs.

## For clients of OpenAI's API

Set `base_url` to this server's `/v1`: chat completions, responses and embeddings have OpenAI's shapes and errors.
"""

INFO: dict[str, Any] = {
    "summary": "A cache with durable jobs in front of AI providers.",
    "description": INTRODUCTION,
    "license": {"name": "MIT", "identifier": "MIT"},
}
