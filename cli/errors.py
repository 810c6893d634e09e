"""What ends a command before its time."""

from cli.exit_codes import ExitCode


class CommandFailed(Exception):
    """A command can't go on. Its text is for the user: what is wrong, and what to do next.

    `message`: without the `advice`, where that is told apart: for who goes on by itself.
    """

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.FAILED, advice: str = "") -> None:
        super().__init__(f"{message}. {advice}" if advice else message)
        self.message = message
        self.exit_code = exit_code
