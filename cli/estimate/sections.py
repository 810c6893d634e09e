"""The report in sentences and tables, for terminals and pages."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cli.estimate.keys import Source
from cli.estimate.units import size_text, time_text
from cli.terminal.words import count, dollars, share

Document = dict[str, Any]

NAMES = {
    "litellm": "LiteLLM's spend log",
    "askonce": "AskOnce's request log",
    "openai": "requests to OpenAI's API",
    "openai batch": "batches for OpenAI's API",
}
KEYS = {
    Source.EXACT: "are the service's own",
    Source.MODEL: "are of models that this installation does not serve, but otherwise the service's own",
    Source.DIGEST: "come from a key or digest in the log, because it has no body",
    Source.NONE: "are missing: the log has neither a body nor a digest, and such a call counts as never repeated",
    Source.REFUSED: "are missing: AskOnce would refuse the body",
}
LEFT_OUT = {
    "strange": "records that are no calls were left out",
    "failed": "failed calls were left out",
    "free": "calls were answered by another cache: they save no tokens or money here",
}
SHOWN_MODELS = 20


class Section(NamedTuple):
    """A table. The first column is text, all others are numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def notes(report: Document) -> Iterator[str]:
    """Yield what was read, and what is to be known about the figures."""
    yield from _about_log(report["log"])
    yield from _about_keys(report)
    if not report["joined_known"]:
        yield "Coalesced calls are not known: the log does not say how long calls took."


def _about_log(log: Document) -> Iterator[str]:
    formats = ", ".join(f"{count(calls)} of {NAMES[name]}" for name, calls in log["formats"].items())
    yield f"{log['lines']:,} lines: {formats}."
    if log["from"] is not None:
        yield f"From {log['from'][:19]}Z to {log['to'][:19]}Z."
    else:
        yield "The log has no times: all calls count as made at once, so that TTLs make no difference."
    if log["from"] is not None and log["untimed"]:
        yield f"{log['untimed']:,} calls have no time: each counts as made with the one before it."
    if log["broken"]:
        yield f"{log['broken']:,} broken lines were left out; the first is line {log['first_broken']:,}."
    for name, meaning in LEFT_OUT.items():
        if log[name]:
            yield f"{log[name]:,} {meaning}."


def _about_keys(report: Document) -> Iterator[str]:
    for source, meaning in KEYS.items():
        if calls := report["keys"].get(source, 0):
            yield f"{count(calls)} keys {meaning}."
    if report["keys"]["cut"]:
        cut = report["keys"]["cut"]
        yield f"{cut:,} calls have texts that LiteLLM has shortened: different ones may look the same."


def sections(report: Document) -> Iterator[Section]:
    """Yield the tables."""
    yield by_size(report)
    yield _by_ttl(report)
    yield _by_model(report)
    yield _questions(report)


def by_size(report: Document) -> Section:
    """Return the shares of calls that need not be paid."""
    sizes = sorted({each["size_bytes"] for each in report["saved"]})
    rows = [
        [time_text(ttl), *(share(each["ratio"]) for each in report["saved"] if each["ttl_seconds"] == ttl)]
        for ttl in ttls_of(report)
    ]
    return Section("Calls that need not be paid, by TTL and size of the tier", ["TTL", *map(size_text, sizes)], rows)


def ttls_of(report: Document) -> list[int]:
    """Return the TTLs, the shortest first."""
    return sorted({each["ttl_seconds"] for each in report["saved"]})


def _by_ttl(report: Document) -> Section:
    columns = ["TTL", "Hits", "Coalesced", "Prompt tokens", "Completion tokens", "Dollars"]
    counted = ("hits", "joined", "prompt_tokens", "completion_tokens")
    rows = [
        [time_text(each["ttl_seconds"]), *(count(each[name]) for name in counted), _money(each)]
        for each in _of_largest(report)
    ]
    return Section("Saved, with the largest tier", columns, rows)


def _by_model(report: Document) -> Section:
    columns = ["Model", "Calls", "Dollars", *(f"Saved in {time_text(ttl)}" for ttl in ttls_of(report)), "Price of"]
    rows = [
        [
            model["model"],
            count(model["calls"]),
            _money(model),
            *map(_money, _of_largest(model)),
            model["price"] or "unknown",
        ]
        for model in report["models"][:SHOWN_MODELS]
    ]
    more = len(report["models"]) - SHOWN_MODELS
    rows += [[f"and {more:,} more", *([""] * (len(columns) - 1))]] if more > 0 else []
    return Section("By model, with the largest tier", columns, rows)


def _questions(report: Document) -> Section:
    rows = [[each.get("text", each["key"]), _times(each)] for each in report["repeated"]]
    return Section("Most repeated questions", ["Question", "Calls"], rows or [["none was asked twice", ""]])


def _times(each: Document) -> str:
    more = f" to {count(each['calls'] + each['missed'])}" if each["missed"] else ""
    return f"{count(each['calls'])}{more}"


def _of_largest(of: Document) -> list[Document]:
    """Return what the largest tier saves, for each TTL. `of`: the report, or one of its models."""
    largest = max(each["size_bytes"] for each in of["saved"])
    return [each for each in of["saved"] if each["size_bytes"] == largest]


def _money(figures: Document) -> str:
    """Return dollars as text; unknown ones are said to be so."""
    if figures["dollars"] is None:
        return "unknown"
    more = f" + {count(figures['unpriced'])} calls at unknown cost" if figures["unpriced"] else ""
    return f"{dollars(figures['dollars'])}{more}"
