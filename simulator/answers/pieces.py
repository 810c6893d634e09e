"""Text in pieces, as a stream delivers it."""

import re

#: Up to three words, each of at most 16 characters, with the space before them; or the space at the end.
PIECE = re.compile(r"(?:\s*\S{1,16}){1,3}|\s+")
PIECE_OF_ARGUMENTS = 12


def pieces(text: str) -> list[str]:
    """Return the text in pieces of a few words; joined they are the text."""
    return PIECE.findall(text)


def pieces_of_arguments(arguments: str) -> list[str]:
    """Return the arguments of a tool call in pieces that break anywhere."""
    return [arguments[place : place + PIECE_OF_ARGUMENTS] for place in range(0, len(arguments), PIECE_OF_ARGUMENTS)]
