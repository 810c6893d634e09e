"""Tables and charts in terminals of some widths: nothing is cut."""

import io

import pytest

from cli.terminal.chart import Bar, print_chart
from cli.terminal.tables import print_table
from tests.unit.cli.terminal import Terminal

COLUMNS = ("OUTCOME", "CALLS", "SHARE", "P50 MS", "P99 MS")
ROWS = [("hit: memcached", "1,234,567", "66.7 %", "0.4", "1,000,000.5"), ("miss", "2", "33.3 %", "-", "漢字")]
BARS = [Bar("2026-11-26 18:00", 2, 3), Bar("2026-11-26 19:00", 0, 0)]


def table(width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    stream = Terminal()
    print_table(stream, COLUMNS, ROWS, right=COLUMNS[1:])
    return stream.lines


def chart(width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    stream = Terminal()
    print_chart(stream, BARS)
    return stream.lines


def test_a_row_is_a_line_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    assert table(80, monkeypatch) == [
        "OUTCOME             CALLS   SHARE  P50 MS       P99 MS",
        "hit: memcached  1,234,567  66.7 %     0.4  1,000,000.5",
        "miss                    2  33.3 %       -         漢字",
    ]


def test_a_row_goes_on_below_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert table(40, monkeypatch) == [
        "OUTCOME             CALLS   SHARE",
        "  P50 MS       P99 MS",
        "hit: memcached  1,234,567  66.7 %",
        "     0.4  1,000,000.5",
        "miss                    2  33.3 %",
        "       -         漢字",
    ]


@pytest.mark.parametrize("width", [1, 7, 20, 33, 34, 42, 53, 54, 300])
def test_no_cell_is_cut_at_any_width(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = "\n".join(table(width, monkeypatch))
    assert [cell for row in (COLUMNS, *ROWS) for cell in row if cell not in shown] == []


def test_in_a_pipe_a_row_is_a_line() -> None:
    pipe = io.StringIO()
    print_table(pipe, COLUMNS * 9, [row * 9 for row in ROWS])
    assert len(pipe.getvalue().splitlines()) == 3


def test_a_pipe_that_nobody_reads_any_more_is_told_to_who_prints() -> None:
    class Broken(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        print_table(Broken(), COLUMNS, ROWS)


def test_the_bars_of_a_chart_have_the_room_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chart(100, monkeypatch)[0] == f"2026-11-26 18:00  {'#' * 27}{'.' * 13}  3  66.7 %"
    assert chart(40, monkeypatch) == ["2026-11-26 18:00  #######....  3  66.7 %", "2026-11-26 19:00               0"]
    assert chart(20, monkeypatch) == ["2026-11-26 18:00  3  66.7 %", "2026-11-26 19:00  0"]
