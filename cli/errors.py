"""What ends a command before its time."""

from cli.exit_codes import ExitCode


class CommandFailed(Exception):
    """A command can't go on. Its text is for the user: what is wrong, and what to do next."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code
