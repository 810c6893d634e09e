"""Why AskOnce can't run on this machine."""


class LocalError(Exception):
    """Something is missing here, or in the way. Its text is for the user: what it is, and what to do."""
