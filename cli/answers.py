"""Answers as people read them: the text itself, and beside it where it came from and what it cost."""

from typing import Any

from cli.console import Console
from cli.service.client import Json
from cli.terminal.words import between, count, dollars, duration
from shared.domain.answer import Usage
from shared.domain.prices import Prices


def show_answer(console: Console, job: Json, prices: Prices, *, as_json: bool) -> None:
    """Print a completed job or answer, or as JSON any; and say where it came from."""
    if as_json:
        console.write_json(job)
        return
    if job["result"] is not None:
        console.write(answer_text(job["result"]))
        console.say(origin(job, prices))


def answer_text(result: Json) -> str:
    """Return what a result says, without its names: its first member, with a score if there is one."""
    first = next(iter(result.values()), "")
    if isinstance(first, list):
        return "\n".join(_line(each) for each in first)
    return _line({"text": first, "score": result["score"]}) if "score" in result else str(first)


def _line(item: Any) -> str:  # noqa: ANN401  JSON is any of its types
    if isinstance(item, dict) and "score" in item:
        return f"{item['score']:.3f}  {next(iter(item.values()))}"
    return str(item)


def origin(job: Json, prices: Prices) -> str:
    """Return a line on whether an answer was a hit, and on what it cost or saved."""
    cache = job["cache"]
    worth = ", ".join(_worth(job, prices))
    if cache["hit"]:
        stale = ", stale" if cache["stale"] else ""
        return (
            f"hit: {cache['tier']}, {duration(cache['age'])} old{stale}; it cost nothing and saved {worth or 'a call'}"
        )
    took = between(job["started_at"], job["completed_at"])
    in_time = "" if took is None else f" in {duration(took)}"
    return f"miss: answered by {job['provider']} {job['model']}{in_time}; {worth or 'tokens unknown'}"


def _worth(job: Json, prices: Prices) -> list[str]:
    """Return tokens, and dollars where the price is known here; the service's own prices may be others."""
    usage = job["usage"]
    counts = Usage(**{name: usage.get(name) for name in Usage().counts()})
    cost = prices.cost(job["provider"], job["model"], counts)
    tokens = [] if usage["total_tokens"] is None else [f"{count(usage['total_tokens'])} tokens"]
    return tokens if cost is None else [*tokens, f"about {dollars(float(cost))}"]
