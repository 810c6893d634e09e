"""Whether the peer of an idle connection has closed it, without asking the peer."""

import select

ANYTHING = select.POLLIN | select.POLLHUP | select.POLLERR


def has_news(file_number: int) -> bool:
    """Return whether a socket has something to read, or has been closed by its peer. Never waits."""
    poll = select.poll()
    poll.register(file_number, ANYTHING)
    return bool(poll.poll(0))
