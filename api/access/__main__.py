"""`python -m api.access`: the command `askonce keys`, where the rest of that command is not installed."""

import sys

from api.access.command import main
from shared.config import load_settings
from shared.errors import AskOnceError

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:], load_settings()))
    except AskOnceError as error:
        sys.exit(f"askonce: {error.detail}")
