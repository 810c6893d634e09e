from pathlib import Path

from local.child_environment import child_environment
from local.supervisor.base import Service
from local.supervisor.processes import Command
from local.supervisor.supervised import FAILED, RUNNING, Supervised

LONGER_THAN_ANY_PAUSE = 9.0


class Sleeper(Service):
    """A process that serves from its start, or never does."""

    name = "sleeper"
    address = None

    def __init__(self, folder: Path, *, serves: bool) -> None:
        super().__init__()
        self._folder = folder
        self._serves = serves
        self.log = folder / "log"

    def command(self) -> Command:
        return Command(
            arguments=("sleep", "600"), directory=self._folder, environment=child_environment(), log=self.log
        )

    def is_ready(self) -> bool:
        return self._serves


def ended_often(service: Service, times: int) -> Supervised:
    """Return it as it is after so many quick ends in a row."""
    supervised, now = Supervised(service), 0.0
    supervised.launch(now)
    for _ in range(times):
        supervised.check(now)
        service.kill()
        supervised.check(now)
        now += LONGER_THAN_ANY_PAUSE
        supervised.check(now)
    supervised.check(now)
    return supervised


def test_a_program_that_has_run_is_started_again_however_often_it_ends(tmp_path: Path) -> None:
    service = Sleeper(tmp_path, serves=True)
    supervised = ended_often(service, 20)
    assert (supervised.state, service.pid is None) == (RUNNING, False)
    service.kill()


def test_a_program_that_never_runs_is_given_up(tmp_path: Path) -> None:
    service = Sleeper(tmp_path, serves=False)
    assert ended_often(service, 5).state == FAILED
    assert service.pid is None
