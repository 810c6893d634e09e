"""What is shown while a command waits: only at a terminal, and gone afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rich.text import Text

from cli.console import Console
from cli.printable import printable
from cli.terminal.tables import rich_console


class Waiting(NamedTuple):
    """`show` changes what is shown; `say` writes a line that stays, at a terminal or not."""

    show: Callable[[str], None]
    say: Callable[[str], None]


@contextmanager
def waiting(console: Console, text: str) -> Iterator[Waiting]:
    """Show that something goes on."""
    if not console.notes.isatty():
        yield Waiting(lambda _: None, console.say)
        return
    shown = rich_console(console.notes)
    with shown.status(_text(text)) as status:
        yield Waiting(lambda text: status.update(_text(text)), lambda text: shown.print(printable(text)))


def _text(text: str) -> Text:
    """Return a text as it is: of what turns, rich would read brackets as markup."""
    return Text(printable(text))
