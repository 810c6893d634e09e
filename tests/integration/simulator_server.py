"""The simulator on a port of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from simulator import create_app
from simulator.server import make_server


@contextmanager
def simulator_server() -> Iterator[str]:
    """Serve in a thread; return the address."""
    with make_server(create_app(), "127.0.0.1", 0) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.shutdown()
            serving.join()
