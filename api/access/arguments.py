"""The arguments of `askonce keys`, and how each is read."""

import argparse
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from api.access.keys import NAME, NAME_RULE, TENANT, TENANT_RULE
from shared.domain.limits import DOLLAR_LIMITS, LIMIT_NAMES
from shared.domain.request import DEFAULT_TENANT, SCOPES

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
WHOLE = "[0-9]{1,15}"
DOLLARS = rf"{WHOLE}(\.[0-9]{{1,6}})?"
DEFAULT_SCOPES = ("predict", "read")
LIMITS_ABOUT = f"such as requests_per_minute=600 or dollars_per_day=5; names: {', '.join(LIMIT_NAMES)}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands and their options to a parser."""
    commands = parser.add_subparsers(dest="keys_command", required=True, metavar="COMMAND")
    create = commands.add_parser("create", help="make a key, and print it: this once, on standard output")
    create.add_argument("name", type=_matching(NAME, NAME_RULE), help="who will use it; on all records of its requests")
    _add_grants(create)
    create.add_argument("--expires", type=_lifetime, metavar="TIME", help="how long it is valid, such as 90d or 12h")
    ensure = commands.add_parser("ensure", help="make a key whose text is in a file already, unless it is known")
    ensure.add_argument("name", type=_matching(NAME, NAME_RULE))
    ensure.add_argument("file", type=Path, help="holds the key")
    _add_grants(ensure)
    listing = commands.add_parser("list", help="list all keys, the newest first")
    listing.add_argument("--tenant", type=_matching(TENANT, TENANT_RULE), help="only those of one tenant")
    listing.add_argument("--json", action="store_true", help="as a JSON list")
    limit = commands.add_parser("limit", help="change or show limits of a key, or those that all of a tenant share")
    whose = limit.add_mutually_exclusive_group(required=True)
    whose.add_argument("--key", metavar="ID")
    whose.add_argument("--tenant", type=_matching(TENANT, TENANT_RULE))
    limit.add_argument("limits", nargs="*", type=_limit, metavar="NAME=NUMBER", help=LIMITS_ABOUT)
    for name, about in (("show", "show a key"), ("revoke", "make a key invalid for good, in every process")):
        commands.add_parser(name, help=about).add_argument("id")
    rotate = commands.add_parser("rotate", help="give a key a new secret, and print it")
    rotate.add_argument("id")
    rotate.add_argument(
        "--grace", type=_duration, default=timedelta(0), metavar="TIME", help="how long the secret before stays valid"
    )


def _add_grants(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", type=_matching(TENANT, TENANT_RULE), default=DEFAULT_TENANT, help="whose it is")
    parser.add_argument(
        "--scopes",
        type=_scopes,
        default=frozenset(DEFAULT_SCOPES),
        help=f"by comma, of {', '.join(SCOPES)}; {','.join(DEFAULT_SCOPES)} unless given",
    )
    parser.add_argument("--limit", action="append", default=[], type=_limit, metavar="NAME=NUMBER", help=LIMITS_ABOUT)


def _matching(pattern: str, rule: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(rule)
        return text

    return check


def _scopes(text: str) -> frozenset[str]:
    scopes = frozenset(part.strip() for part in text.split(",") if part.strip())
    if not scopes or not scopes <= set(SCOPES):
        message = f"must be some of {', '.join(SCOPES)}, by comma"
        raise argparse.ArgumentTypeError(message)
    return scopes


def _limit(text: str) -> tuple[str, int | float | None]:
    name, _, number = text.partition("=")
    if name not in LIMIT_NAMES:
        message = f"{text!r} is no limit. Give some {LIMITS_ABOUT}"
        raise argparse.ArgumentTypeError(message)
    if number == "none":
        return name, None
    kind, pattern = ("number", DOLLARS) if name in DOLLAR_LIMITS else ("whole number", WHOLE)
    if not re.fullmatch(pattern, number):
        message = f"{name} must be a {kind} of at most 15 digits, or none: not {number!r}"
        raise argparse.ArgumentTypeError(message)
    return name, float(number) if name in DOLLAR_LIMITS else int(number)


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if match is None:
        message = "must be a number with its unit: 90d, 12h, 30m or 60s"
        raise argparse.ArgumentTypeError(message)
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def _lifetime(text: str) -> timedelta:
    lifetime = _duration(text)
    if not lifetime:
        message = "must be longer than nothing"
        raise argparse.ArgumentTypeError(message)
    return lifetime
