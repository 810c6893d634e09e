"""Groq's prompt cache: the beginning of a prompt that came before is counted, and billed, as cached."""

import threading

from simulator.providers.completions import count_tokens


class PromptCache:
    """Remembers instructions by model once it is switched on; until then the same request gets the same answer."""

    def __init__(self) -> None:
        """Start switched off."""
        self._lock = threading.Lock()
        self._known: set[tuple[str, str]] | None = None

    @property
    def enabled(self) -> bool:
        """Whether prompts are remembered."""
        return self._known is not None

    def switch(self, *, on: bool) -> None:
        """Start to remember, with nothing known yet, or stop."""
        with self._lock:
            self._known = set() if on else None

    def cached_tokens(self, model: str, instructions: str) -> int:
        """Return how many tokens of these instructions were known, and remember them."""
        with self._lock:
            if self._known is None or not instructions:
                return 0
            known = (model, instructions) in self._known
            self._known.add((model, instructions))
        return count_tokens(instructions) if known else 0
