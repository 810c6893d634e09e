"""The life of one supervised service: start, checks, restarts, and the end after too many failed starts."""

from local.state import ProcessRecord
from local.supervisor.base import Service, ServiceFailed

STARTING, RUNNING, STOPPED, FAILED = "starting", "running", "stopped", "failed"
QUICK_SECONDS = 10.0
START_ATTEMPTS = 5
LONGEST_PAUSE_SECONDS = 8.0


class Supervised:
    """A service and its state for the supervisor. Times are of the monotonic clock."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.state = STOPPED
        self.reason: str | None = None
        self._quick_crashes = 0
        self._failed_starts = 0
        self._launched_at = 0.0
        self._launch_at: float | None = None

    def launch(self, now: float) -> None:
        """Start it without waiting; a service that can't be launched has failed."""
        self.state, self._launched_at, self._launch_at = STARTING, now, None
        try:
            self.service.launch()
        except (OSError, ServiceFailed) as error:
            self.state, self.reason = FAILED, str(error)

    def check(self, now: float) -> str | None:
        """Check it once; return a message if there is news for the user, else None."""
        if self.state in (STOPPED, FAILED):
            return None
        if self._launch_at is not None:
            if now >= self._launch_at:
                self.launch(now)
            return None
        if self.service.pid is None:
            return self._crashed(now)
        if self.state == STARTING and self.service.is_ready():
            self.state = RUNNING
        return None

    def record(self) -> ProcessRecord:
        """Return what is known of it."""
        return ProcessRecord(
            name=self.service.name,
            state=self.state,
            address=self.service.address,
            log=str(self.service.log),
            identity=self.service.identity,
            reason=self.reason,
        )

    def _crashed(self, now: float) -> str:
        self.reason = self.service.ending + self._last_words()
        # Processes that it started must not disturb the next launch.
        self.service.kill()
        quick = now - self._launched_at < QUICK_SECONDS
        self._quick_crashes = self._quick_crashes + 1 if quick else 1
        # What has run will run again: nobody may be there at night to start it. What never runs needs its user.
        self._failed_starts = 0 if self.state == RUNNING else self._failed_starts + 1
        if self._failed_starts == START_ATTEMPTS:
            self.state = FAILED
            return f"{self.service.name} {self.reason}; given up after {START_ATTEMPTS} tries, log: {self.service.log}"
        pause = min(0.5 * 2 ** (self._quick_crashes - 1), LONGEST_PAUSE_SECONDS)
        self.state, self._launch_at = STARTING, now + pause
        return f"{self.service.name} {self.reason}; starting it again in {pause:g} s"

    def _last_words(self) -> str:
        """Return its last line, which mostly says why it ended; nothing after a signal, of which it knew nothing."""
        if (self.service.exit_code or 0) < 0:
            return ""
        last_line = (self.service.log_tail().splitlines() or [""])[-1].strip()
        return f": {last_line}" if last_line else ""
