"""`python -m simulator --port N`: runs the simulator until SIGTERM or Ctrl-C, then exits at once."""

import argparse
import json
import signal
import sys
from types import FrameType

from simulator.app import create_app
from simulator.server import make_server


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; port 0 takes a free one. The first line of output names the address."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--log-format", choices=("text", "json"), default="text")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    with make_server(create_app(), options.host, options.port) as server:
        said = f"simulator: answers are made up; listening on http://{options.host}:{server.port}"
        line = json.dumps({"level": "INFO", "message": said}) if options.log_format == "json" else said
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        server.serve_forever()
    return 0


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # Requests run on daemon threads, so nothing that hangs can hold the process back.
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
