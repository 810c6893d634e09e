"""A stream that says that it is a terminal."""

import io
import re

STYLE = re.compile("\x1b\\[[0-9;]*m")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        """What was written, without colours."""
        return STYLE.sub("", self.getvalue()).splitlines()
