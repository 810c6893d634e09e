"""The background loops of an API process, together."""

from shared.background import BackgroundLoop, LoopState


class Background:
    """All background loops of a process, for health and metrics."""

    def __init__(self, *loops: BackgroundLoop) -> None:
        self._loops = list(loops)

    def add(self, *loops: BackgroundLoop) -> None:
        """Add more loops."""
        self._loops.extend(loops)

    def states(self) -> list[LoopState]:
        """Return the state of each loop."""
        return [loop.state for loop in self._loops]
