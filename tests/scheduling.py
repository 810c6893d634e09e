"""Which process of a test run does which file.

Tests of the running stack mostly wait, the others mostly compute. So half of the processes, rounded up, begin with
the former, the others with the latter: that keeps all cores busy until the end.
"""

from typing import Any

from xdist.scheduler import LoadFileScheduling

OF_THE_STACK = ("tests/e2e/", "tests/faults/")


class Lanes(LoadFileScheduling):
    """Gives a process the next file of its kind; when there is none left, the next of the other kind."""

    def _assign_work_unit(self, node: Any) -> None:
        number = int(node.gateway.id.removeprefix("gw"))
        of_the_stack = number < (self.numnodes + 1) // 2
        files = [file for file in self.workqueue if file.startswith(OF_THE_STACK) is of_the_stack]
        if files:
            self.workqueue.move_to_end(files[0], last=False)
        super()._assign_work_unit(node)
