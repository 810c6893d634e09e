"""The command line for keys. It works on the database directly, and needs no running API."""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from api.access.administration import KeyAdministration
from api.access.documents import key_document
from api.access.keys import NAME, NAME_RULE, TENANT, TENANT_RULE, ApiKey, NewKey
from api.access.store import KeyStore
from shared.config import Settings
from shared.db.engine import Database
from shared.domain.limits import DOLLAR_LIMITS, LIMIT_NAMES, limits_from
from shared.domain.request import DEFAULT_TENANT, SCOPES
from shared.errors import ConfigurationError
from shared.jobs.notifier import CLIENT_TIMEOUT_SECONDS, Notifier
from shared.redis import connect
from shared.times import now

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
COLUMNS = ("id", "name", "tenant", "scopes", "status", "expires_at", "last_used_at")
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
    limit = commands.add_parser("limit", help="change limits of a key, or those that all keys of a tenant share")
    whose = limit.add_mutually_exclusive_group(required=True)
    whose.add_argument("--key", metavar="ID")
    whose.add_argument("--tenant", type=_matching(TENANT, TENANT_RULE))
    limit.add_argument("limits", nargs="+", type=_limit, metavar="NAME=NUMBER", help=LIMITS_ABOUT)
    for name, about in (("show", "show a key"), ("revoke", "make a key invalid for good, in every process")):
        commands.add_parser(name, help=about).add_argument("id")
    rotate = commands.add_parser("rotate", help="give a key a new secret, and print it")
    rotate.add_argument("id")
    rotate.add_argument(
        "--grace", type=_duration, default=timedelta(0), metavar="TIME", help="how long the secret before stays valid"
    )


def run(chosen: argparse.Namespace, settings: Settings, out: TextIO, notes: TextIO) -> None:
    """Run one command. Keys and documents go to `out`, what is said about them to `notes`.

    Raises DatabaseUnavailable, NotFound, InvalidKey and ConfigurationError.
    """
    database = Database(settings.database_url, pool_size=1)
    notifier = Notifier(connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS))
    try:
        COMMANDS[chosen.keys_command](chosen, KeyAdministration(KeyStore(database), notifier), out, notes)
    finally:
        notifier.close()
        database.close()


def _create(chosen: argparse.Namespace, keys: KeyAdministration, out: TextIO, notes: TextIO) -> None:
    expires_at = None if chosen.expires is None else now() + chosen.expires
    key, text = keys.create(_new_key(chosen, expires_at))
    _hand_over(key, text, out, notes)


def _ensure(chosen: argparse.Namespace, keys: KeyAdministration, out: TextIO, notes: TextIO) -> None:
    del out
    try:
        text = chosen.file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as err:
        message = f"{chosen.file} can't be read: {type(err).__name__}"
        raise ConfigurationError(message) from err
    made = keys.ensure(text, _new_key(chosen, None))
    notes.write(f"The key in {chosen.file} is {'new' if made else 'known already'}.\n")


def _list(chosen: argparse.Namespace, keys: KeyAdministration, out: TextIO, notes: TextIO) -> None:
    found = [key_document(key) for key in keys.store.all(chosen.tenant)]
    if chosen.json:
        out.write(json.dumps(found, indent=2) + "\n")
    elif found:
        out.write(_table(found) + "\n")
    else:
        notes.write("There are no keys. Make one: askonce keys create NAME\n")


def _show(chosen: argparse.Namespace, keys: KeyAdministration, out: TextIO, notes: TextIO) -> None:
    del notes
    out.write(json.dumps(key_document(keys.store.get(chosen.id)), indent=2) + "\n")


def _rotate(chosen: argparse.Namespace, keys: KeyAdministration, out: TextIO, notes: TextIO) -> None:
    key, text = keys.rotate(chosen.id, chosen.grace)
    _hand_over(key, text, out, notes)
    if chosen.grace:
        notes.write(f"The secret before is valid until {key_document(key)['rotated_at']} and {chosen.grace} more.\n")


def _change_limits(chosen: argparse.Namespace, keys: KeyAdministration, out: TextIO, notes: TextIO) -> None:
    del notes
    changes = dict(chosen.limits)
    if chosen.tenant is not None:
        changed = keys.limit_tenant(chosen.tenant, changes)
    else:
        changed = keys.change(chosen.key, {"limits": changes}).limits
    out.write(json.dumps(changed.document(), indent=2) + "\n")


def _revoke(chosen: argparse.Namespace, keys: KeyAdministration, out: TextIO, notes: TextIO) -> None:
    del out
    notes.write(f"The key {keys.revoke(chosen.id).name!r} ({chosen.id}) is revoked.\n")


COMMANDS: Mapping[str, Callable[[argparse.Namespace, KeyAdministration, TextIO, TextIO], None]] = {
    "create": _create,
    "ensure": _ensure,
    "list": _list,
    "show": _show,
    "rotate": _rotate,
    "limit": _change_limits,
    "revoke": _revoke,
}


def _hand_over(key: ApiKey, text: str, out: TextIO, notes: TextIO) -> None:
    out.write(text + "\n")
    notes.write(f"This is the key {key.name!r} (id {key.id}). It is shown this once, and stored nowhere.\n")


def _new_key(chosen: argparse.Namespace, expires_at: datetime | None) -> NewKey:
    granted = {"tenant": chosen.tenant, "scopes": chosen.scopes, "limits": limits_from(dict(chosen.limit))}
    return NewKey(name=chosen.name, expires_at=expires_at, **granted)


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
    if name not in LIMIT_NAMES or not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,6})?|none", number):
        message = f"must be a name and a number, or none: {LIMITS_ABOUT}"
        raise argparse.ArgumentTypeError(message)
    if number == "none":
        return name, None
    if name in DOLLAR_LIMITS:
        return name, float(number)
    if "." in number:
        message = f"{name} must be a whole number"
        raise argparse.ArgumentTypeError(message)
    return name, int(number)


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


def _table(documents: Sequence[Mapping[str, object]]) -> str:
    rows = [[name.upper() for name in COLUMNS]]
    for document in documents:
        scopes = document["scopes"]
        shown = {**document, "scopes": ",".join(scopes) if isinstance(scopes, list) else ""}
        rows.append([str(shown[name] or "-") for name in COLUMNS])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run `askonce keys` with these arguments; return its exit code."""
    parser = argparse.ArgumentParser(prog="askonce keys", description="API keys, in the database that is configured.")
    add_arguments(parser)
    run(parser.parse_args(arguments), settings, sys.stdout, sys.stderr)
    return 0
