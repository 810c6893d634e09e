"""The metrics of several processes as one: each puts its own into a folder, and whoever is asked adds them up."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

WRITE_SECONDS = 1.0
LARGEST = ("askonce_cache_server_down",)
"""What is true or not: it is when one process says so. All else is a count, and counts are added."""


def folder_of(parent: int) -> Path:
    """Return the folder that the children of one process share."""
    return Path(tempfile.gettempdir()) / f"askonce-metrics-{os.getuid()}-{parent}"


def clear(parent: int) -> None:
    """Forget what processes with this parent have left behind."""
    shutil.rmtree(folder_of(parent), ignore_errors=True)


class MetricsBoard:
    """One process's place in the folder. Others' numbers are at most a second old."""

    def __init__(self, folder: Path, render: Callable[[], bytes]) -> None:
        """`render` returns this process's metrics as text. The folder is made, closed to other users."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise PermissionError(folder)
        self._folder = folder
        self._render = render
        self._mine = folder / f"{os.getpid()}.prom"
        self._closed = threading.Event()

    def start(self) -> None:
        """Write once, and from now on every second."""
        self.write()
        threading.Thread(target=self._run, name="metrics", daemon=True).start()

    def write(self) -> None:
        """Put this process's metrics into the folder, in one step."""
        draft = self._mine.with_suffix(".draft")
        draft.write_bytes(self._render())
        draft.replace(self._mine)

    def close(self) -> None:
        """Write for the last time: what this process counted goes on counting."""
        self._closed.set()
        self.write()

    def render(self) -> bytes:
        """Write the metrics of all processes in Prometheus' text format; the dead only count what they counted."""
        registry = CollectorRegistry()
        registry.register(_Sum(self._families()))
        return generate_latest(registry)

    def _families(self) -> Iterator[Metric]:
        yield from _parsed(self._render())
        for file in self._folder.glob("*.prom"):
            if file != self._mine:
                alive = Path(f"/proc/{file.stem}").exists()
                yield from (each for each in _parsed(file.read_bytes()) if alive or each.type != "gauge")

    def _run(self) -> None:
        while not self._closed.wait(WRITE_SECONDS):
            self.write()


class _Sum(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
        named = {family.name: family for family in self._families}
        for family in self._families:
            added = values.setdefault(family.name, {})
            for sample in family.samples:
                key = (sample.name, tuple(sample.labels.items()))
                before = added.get(key, 0.0)
                added[key] = max(before, sample.value) if family.name in LARGEST else before + sample.value
        for name, family in named.items():
            metric = Metric(name, family.documentation, family.type)
            for (sample_name, labels), value in values[name].items():
                metric.add_sample(sample_name, dict(labels), value)
            yield metric


def _parsed(text: bytes) -> Iterator[Metric]:
    """Read metrics back, without the times at which a process began to count."""
    for family in text_string_to_metric_families(text.decode()):
        if not family.name.endswith("_created"):
            yield family
