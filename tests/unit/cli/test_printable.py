"""How texts of others are shown at a terminal."""

import io

import pytest

from cli.console import Console
from cli.printable import printable
from tests.unit.cli.terminal import Terminal


def test_a_text_of_others_does_not_steer_the_terminal() -> None:
    assert printable("a\tb\n\x1b[2Jc\x9b\r") == "a\tb\n?[2Jc??".replace("?", "\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb\u2066", r"a\u202eb\u2066"),
        ("\u200e\u200f\u061c", r"\u200e\u200f\u061c"),
        ("\u2028", r"\u2028"),
        ("\U000e0041", r"\U000e0041"),
        ("שלום, 👩\u200d👧 na\u00efve", "שלום, 👩\u200d👧 na\u00efve"),
    ],
)
def test_what_is_not_seen_in_a_text_of_others_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_all_that_a_command_writes_at_a_terminal_is_printable() -> None:
    out, notes = Terminal(), Terminal()
    console = Console(out, notes)
    console.write("\x1b[2J", end="")
    console.write_json("\x9b")
    console.say("\u202e")
    assert (out.getvalue(), notes.getvalue()) == (
        '\N{REPLACEMENT CHARACTER}[2J"\N{REPLACEMENT CHARACTER}"\n',
        "\\u202e\n",
    )


def test_what_is_piped_is_as_it_came() -> None:
    out = io.StringIO()
    Console(out, out).write("\x1b[2J\u202e")
    assert out.getvalue() == "\x1b[2J\u202e\n"
