"""What a call to a provider may take: seconds, and bytes of its answer, also if that is an error."""

import threading

from shared.jobs.errors import BadAnswer


class CallLimits:
    """The limits of each call, and how many answers had too many bytes. Safe to use from many threads."""

    def __init__(self, seconds: float, max_answer_bytes: int) -> None:
        """`seconds`: by the wall clock. `max_answer_bytes`: of those that arrive, and of those that they decode to."""
        self.seconds = seconds
        self.max_answer_bytes = max_answer_bytes
        self.too_large_total = 0
        self._lock = threading.Lock()

    def too_large(self) -> BadAnswer:
        """Count an answer with more bytes, and return the error for it."""
        with self._lock:
            self.too_large_total += 1
        return BadAnswer(f"The answer has more than {self.max_answer_bytes} bytes.")
