"""What a test session does when all its tests have run."""

from contextlib import ExitStack

AT_THE_END = ExitStack()
