"""What a provider's headers say about how much it will still take."""

import re
from collections.abc import Mapping

from workers.providers.retry_after import bounded

_DURATION = re.compile(
    r"(?:(?P<h>[0-9]{1,6})h)?(?:(?P<m>[0-9]{1,6})m)?(?:(?P<s>[0-9]{1,9}(?:\.[0-9]{1,9})?)s)?(?:(?P<ms>[0-9]{1,9}(?:\.[0-9]{1,9})?)ms)?",
    re.ASCII,
)
_IN_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_EXHAUSTED = re.compile(r";\s*r=0(?=\s*(?:;|$))", re.ASCII)
_RESET = re.compile(r";\s*t=([0-9]{1,9})(?=\s*(?:;|$))", re.ASCII)


def seconds_of_rest(headers: Mapping[str, str]) -> float | None:
    """Return for how long the provider takes no more, at most a day; None while something remains, or if unsaid.

    `headers` finds names in any case. Groq's `x-ratelimit-remaining-*` with `x-ratelimit-reset-*`, and Hugging Face's
    form of the IETF RateLimit draft.
    """
    waits = [*_by_remaining(headers), *_by_policy(headers.get("RateLimit", ""))]
    return bounded(max(waits)) if waits else None


def _by_remaining(headers: Mapping[str, str]) -> list[float]:
    spent = [kind for kind in ("requests", "tokens") if headers.get(f"x-ratelimit-remaining-{kind}", "").strip() == "0"]
    resets = (_duration(headers.get(f"x-ratelimit-reset-{kind}", "")) for kind in spent)
    return [seconds for seconds in resets if seconds]


def _by_policy(value: str) -> list[float]:
    resets = (_RESET.search(policy) for policy in value.split(",") if _EXHAUSTED.search(policy))
    return [float(reset.group(1)) for reset in resets if reset]


def _duration(text: str) -> float:
    """Return the seconds of a duration in Go's spelling, such as `2m59.56s`; 0 for anything else."""
    found = _DURATION.fullmatch(text.strip())
    parts = found.groupdict() if found else {}
    return sum(float(number) * _IN_SECONDS[unit] for unit, number in parts.items() if number)
