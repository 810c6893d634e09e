"""Reads logs: each call becomes some bytes that the replay needs, and everything that is left out is counted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from cli.estimate.asks import KEEPS, KEYED, MICROSECONDS, PAID, TOLD, Ask, Sorter
from cli.estimate.call import MOST, Call
from cli.estimate.formats import call_of
from cli.estimate.keys import KEY_BYTES, Keys, Source
from cli.estimate.lines import Line
from cli.estimate.models import Models
from cli.estimate.repeats import Repeats

NO_KEY = bytes(KEY_BYTES)


@dataclass(slots=True)
class Read:
    """What was read. `first_broken`: where the first broken line is. `strange`: records that are no calls.

    `cut`: calls whose text LiteLLM has shortened. `untimed`: calls without a time, which get that
    of the call before them. `unmeasured`: calls that don't say how long they took.
    """

    sorter: Sorter
    repeats: Repeats = field(default_factory=Repeats)
    lines: int = 0
    broken: int = 0
    first_broken: int | None = None
    strange: int = 0
    calls: int = 0
    failed: int = 0
    free: int = 0
    cut: int = 0
    untimed: int = 0
    unmeasured: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    sources: Counter[Source] = field(default_factory=Counter)
    last_at: int = 0


class Reader:
    """Reads lines with the settings of an installation."""

    def __init__(self, keys: Keys, models: Models) -> None:
        self._keys = keys
        self._models = models

    def read(self, lines: Iterable[Line], sorter: Sorter) -> Read:
        """Read all lines; the calls go to the sorter."""
        read = Read(sorter)
        for line in lines:
            read.lines += 1
            if line.records is None:
                read.broken += 1
                read.first_broken = read.first_broken or read.lines
                continue
            for record in line.records:
                call = call_of(record)
                if call is None:
                    read.strange += 1
                else:
                    self._take(call, line, read)
        return read

    def _take(self, call: Call, line: Line, read: Read) -> None:
        read.formats[call.format] += 1
        if call.failed:
            read.failed += 1
            return
        read.calls += 1
        read.free += call.free
        read.cut += line.cut
        key, source = self._keys.of(call, line.size)
        read.sources[source] += 1
        if key:
            read.repeats.add(key, line.file, line.offset)
        read.sorter.add(self._ask(call, key, read))

    def _ask(self, call: Call, key: bytes, read: Read) -> Ask:
        if call.at is not None:
            read.last_at = max(0, int(call.at * MICROSECONDS))
        read.untimed += call.at is None
        read.unmeasured += call.seconds is None
        usage, paid = call.usage, not call.free
        prompt, completion, cached = usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens
        told = prompt is not None and completion is not None
        flags = bool(key) * KEYED | call.keeps * KEEPS | paid * PAID | told * TOLD
        took = min(MOST, int((call.seconds or 0.0) * 1000))
        return Ask(
            read.last_at,
            read.calls,
            key or NO_KEY,
            took,
            min(MOST, call.answer_bytes),
            (prompt or 0) if told else 0,
            (completion or 0) if told else 0,
            (cached or 0) if told else 0,
            call.spend or 0.0,
            self._models.number(call.provider, call.model),
            flags,
        )
