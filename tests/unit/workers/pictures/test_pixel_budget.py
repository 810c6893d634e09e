from collections.abc import Callable
from threading import Event, Thread

import pytest

from workers.jobs.stop import ClaimLost, Stop
from workers.pictures.pixel_budget import DecodersBusy, PixelBudget

LONG = 60.0


class Decoding:
    """A thread that holds pixels until it is told to let go."""

    def __init__(self, budget: PixelBudget, pixels: int) -> None:
        self.began, self.let_go = Event(), Event()
        self.thread = Thread(target=self._hold, args=(budget, pixels), daemon=True)
        self.thread.start()

    def _hold(self, budget: PixelBudget, pixels: int) -> None:
        with budget.taken(pixels, LONG, Stop()):
            self.began.set()
            self.let_go.wait(LONG)

    def end(self) -> None:
        self.let_go.set()
        self.thread.join()


def holding(budget: PixelBudget, pixels: int) -> Decoding:
    decoding = Decoding(budget, pixels)
    assert decoding.began.wait(LONG)
    return decoding


def is_refused(budget: PixelBudget, pixels: int) -> bool:
    try:
        with budget.taken(pixels, 0, Stop()):
            return False
    except DecodersBusy:
        return True


def test_pixels_are_bounded() -> None:
    budget = PixelBudget(100, 4)
    first = holding(budget, 60)
    assert (is_refused(budget, 41), is_refused(budget, 40)) == (True, False)
    assert budget.in_use == 60
    first.end()
    assert not is_refused(budget, 41)
    assert budget.in_use == 0


def test_pictures_are_bounded() -> None:
    budget = PixelBudget(100, 1)
    first = holding(budget, 1)
    assert is_refused(budget, 1)
    first.end()
    assert not is_refused(budget, 1)


def test_a_picture_of_more_than_all_pixels_is_decoded_alone() -> None:
    budget = PixelBudget(100, 4)
    large = holding(budget, 1_000)
    assert is_refused(budget, 1)
    large.end()


def test_a_small_picture_does_not_pass_a_large_one_that_waits() -> None:
    budget = PixelBudget(100, 4)
    first = holding(budget, 60)
    large = Decoding(budget, 100)
    while not is_refused(budget, 1):  # until the large one waits
        pass
    assert not large.began.is_set()
    first.end()
    assert large.began.wait(LONG)
    large.end()


@pytest.mark.parametrize("when", [lambda stop: stop.set(), lambda stop: Thread(target=stop.set).start()])
def test_one_that_is_told_to_stop_waits_no_longer(when: Callable[[Stop], None]) -> None:
    budget, stop = PixelBudget(100, 4), Stop()
    first = holding(budget, 100)
    when(stop)
    with pytest.raises(ClaimLost), budget.taken(1, LONG, stop):
        pass
    first.end()
    assert not is_refused(budget, 100)
