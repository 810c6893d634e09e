"""What is said of each kind of error, in reading order: for a page of ours, and for `docs/errors.md`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from api.http.problems import help_link
from api.http.reply import Reply
from api.problem_types.problem_type import ProblemType

RETRYABLE = {True: "may succeed later", False: "would fail again"}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`anchor`: what links name. `facts`: short and in Markdown. `examples`: JSON, over several lines."""

    anchor: str
    heading: str
    facts: tuple[str, ...]
    when: str
    remedy: str
    examples: tuple[str, ...]


def paragraph_of(each: ProblemType) -> Paragraph:
    """Return the paragraph about an error."""
    replies = tuple(each.examples().values())
    return Paragraph(
        anchor=help_link(each.code).partition("#")[2],
        heading=each.code.replace("_", " ").capitalize(),
        facts=tuple(_facts(each, replies)),
        when=each.when,
        remedy=each.remedy,
        examples=tuple(json.dumps(json.loads(reply.body), indent=2, ensure_ascii=False) for reply in replies),
    )


def _facts(each: ProblemType, replies: tuple[Reply, ...]) -> Iterator[str]:
    yield f"`{each.code}`"
    statuses = dict.fromkeys(reply.status for reply in replies)
    yield f"status {' or '.join(map(str, statuses))}"
    if not each.compatible_only:
        yield from _compatible(each, replies)
        retryable = json.loads(replies[0].body).get("retryable")
        if retryable is not None:
            yield f"the same request {RETRYABLE[retryable]}"
    else:
        yield "only at `/v1/`"


def _compatible(each: ProblemType, replies: tuple[Reply, ...]) -> Iterator[str]:
    """Say what clients of OpenAI's API get, where that differs."""
    for reply in list(each.compatible_examples().values())[:1]:
        code = json.loads(reply.body)["error"]["code"]
        if (code, reply.status) != (each.code, replies[0].status):
            yield f"at `/v1/` {reply.status} `{code}`"
