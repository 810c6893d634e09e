"""The report as text for a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

from cli.estimate.keys import Source
from cli.estimate.units import size_text, time_text

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


def as_text(report: Document) -> str:
    """Return the report as lines."""
    return "\n".join([*notes(report), "", *_saved(report), "", *_models(report), "", *_repeated(report)])


def notes(report: Document) -> Iterator[str]:
    """Yield what was read, and what is to be known about the figures."""
    yield from _about_log(report["log"])
    yield from _about_keys(report)
    if not report["joined_known"]:
        yield "Coalesced calls are not known: the log does not say how long calls took."


def _about_log(log: Document) -> Iterator[str]:
    formats = ", ".join(f"{count:,} of {NAMES[name]}" for name, count in log["formats"].items()) or "no calls"
    yield f"{log['lines']:,} lines: {formats}."
    if log["from"] is not None:
        yield f"From {log['from'][:19]}Z to {log['to'][:19]}Z."
    elif log["calls"]:
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
        if count := report["keys"].get(source, 0):
            yield f"{count:,} keys {meaning}."
    if report["keys"]["cut"]:
        cut = report["keys"]["cut"]
        yield f"{cut:,} calls have texts that LiteLLM has shortened: different ones may look the same."


def _saved(report: Document) -> Iterator[str]:
    yield "Calls that need not be paid, by TTL and size of the tier:"
    sizes = sorted({each["size_bytes"] for each in report["saved"]})
    rows = [["", *map(size_text, sizes)]]
    for ttl in sorted({each["ttl_seconds"] for each in report["saved"]}):
        cells = [each for each in report["saved"] if each["ttl_seconds"] == ttl]
        rows.append([time_text(ttl), *(f"{each['ratio']:.1%}" for each in cells)])
    yield from table(rows)
    yield ""
    yield "With the largest tier:"
    rows = [["", "hits", "coalesced", "prompt tokens", "completion tokens", "dollars"]]
    for each in of_largest(report):
        figures = (each["hits"], each["joined"], each["prompt_tokens"], each["completion_tokens"])
        rows.append([time_text(each["ttl_seconds"]), *(f"{figure:,}" for figure in figures), money(each)])
    yield from table(rows)


def _models(report: Document) -> Iterator[str]:
    yield "By model, with the largest tier:"
    ttls = sorted({each["ttl_seconds"] for each in report["saved"]})
    rows = [["", "calls", "dollars", *(f"saved in {time_text(ttl)}" for ttl in ttls), "price of"]]
    for model in report["models"][:SHOWN_MODELS]:
        saved = [money(each) for each in of_largest(model)]
        rows.append([model["model"], f"{model['calls']:,}", money(model), *saved, model["price"] or "unknown"])
    yield from table(rows)
    if len(report["models"]) > SHOWN_MODELS:
        yield f"  and {len(report['models']) - SHOWN_MODELS} more models"


def _repeated(report: Document) -> Iterator[str]:
    yield "Most repeated questions:"
    yield from (f"  {calls:>12}  {shown}" for shown, calls in questions(report))
    if not report["repeated"]:
        yield "  none was asked twice"


def questions(report: Document) -> Iterator[tuple[str, str]]:
    """Yield the text or key of each repeated question, and how often it was asked."""
    for each in report["repeated"]:
        more = f" to {each['calls'] + each['missed']:,}" if each["missed"] else ""
        yield each.get("text", each["key"]), f"{each['calls']:,}{more}"


def of_largest(of: Document) -> list[Document]:
    """Return what the largest tier saves, for each TTL. `of`: the report, or one of its models."""
    largest = max(each["size_bytes"] for each in of["saved"])
    return [each for each in of["saved"] if each["size_bytes"] == largest]


def money(figures: Document) -> str:
    """Return dollars as text; unknown ones are said to be so."""
    if figures["dollars"] is None:
        return "unknown"
    more = f" + {figures['unpriced']:,} calls at unknown cost" if figures["unpriced"] else ""
    return f"{figures['dollars']:,.2f}{more}"


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows with their columns in line: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True))
        yield f"  {first:<{widths[0]}}  {'  '.join(cells)}".rstrip()
