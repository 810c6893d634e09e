"""The command line for keys. It works on the database directly, and needs no running API."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO

from api.access.administration import KeyAdministration
from api.access.arguments import add_arguments
from api.access.documents import key_document
from api.access.keys import ApiKey, NewKey
from api.access.store import KeyStore
from shared.config import Settings
from shared.db.engine import Database
from shared.domain.limits import NO_LIMITS, limits_from
from shared.errors import ConfigurationError, DatabaseBusy, DatabaseUnavailable
from shared.jobs.notifier import CLIENT_TIMEOUT_SECONDS, Notifier
from shared.redis import connect
from shared.times import now

COLUMNS = ("id", "name", "tenant", "scopes", "status", "expires_at", "last_used_at", "limits")


def run(chosen: argparse.Namespace, settings: Settings, out: TextIO, notes: TextIO) -> None:
    """Run one command. Keys and documents go to `out`, what is said about them to `notes`.

    Raises DatabaseUnavailable, NotFound, InvalidKey and ConfigurationError.
    """
    database = Database(settings.database_url, pool_size=1)
    notifier = Notifier(connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS))
    try:
        COMMANDS[chosen.keys_command](chosen, KeyAdministration(KeyStore(database), notifier), out, notes)
    except DatabaseBusy:
        raise
    except DatabaseUnavailable as err:
        message = "PostgreSQL does not answer. Keys are in the database of `make up`: start it, or set DATABASE_URL."
        raise DatabaseUnavailable(message) from err
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
    changes, tenant = dict(chosen.limits), chosen.tenant
    if not changes:
        found = (
            keys.store.get(chosen.key).limits if tenant is None else keys.store.tenant_limits().get(tenant, NO_LIMITS)
        )
    elif tenant is None:
        found = keys.change(chosen.key, {"limits": changes}).limits
    else:
        found = keys.limit_tenant(tenant, changes)
    out.write(json.dumps(found.document(), indent=2) + "\n")


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


def _table(documents: Sequence[Mapping[str, Any]]) -> str:
    rows = [[name.upper() for name in COLUMNS]]
    for document in documents:
        limits = ",".join(f"{name}={limit}" for name, limit in document["limits"].items() if limit is not None)
        shown = {**document, "scopes": ",".join(document["scopes"]), "limits": limits}
        rows.append([str(shown[name] or "-") for name in COLUMNS])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run `askonce keys` with these arguments; return its exit code."""
    parser = argparse.ArgumentParser(prog="askonce keys", description="API keys, in the database that is configured.")
    add_arguments(parser)
    run(parser.parse_args(arguments), settings, sys.stdout, sys.stderr)
    return 0
