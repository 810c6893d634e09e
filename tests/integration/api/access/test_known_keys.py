"""The copy of all keys, beside PostgreSQL."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from api.access.key_format import ID_SLICE
from api.access.known_keys import KnownKeys
from api.access.store import Changes, KeyStore
from shared.errors import DatabaseUnavailable
from shared.times import now
from tests.installation import Installation
from tests.integration.key_world import KeyWorld
from tests.integration.outages import database_away


class Counting:
    """A source that counts how often it is read."""

    def __init__(self, world: KeyWorld) -> None:
        self.store = world.store
        self.reads = 0

    def changed_since(self, moment: datetime | None) -> Changes:
        self.reads += 1
        return self.store.changed_since(moment)

    def note_used(self, used: Mapping[str, datetime]) -> None:
        self.store.note_used(used)


@pytest.fixture
def world(installation: Installation) -> KeyWorld:
    return KeyWorld(installation)


@pytest.fixture
def known(installation: Installation) -> KnownKeys:
    keys = KnownKeys(KeyStore(installation.database), lambda tenant: tenant)
    keys.refresh()
    return keys


def test_a_new_key_is_known_after_the_next_read(world: KeyWorld, known: KnownKeys) -> None:
    key = world.key("predict", name="shop", tenant="acme")
    assert known.find(key) is None
    known.refresh()
    client = known.find(key)
    assert client is not None
    assert (client.name, client.tenant, client.namespace, client.scopes) == (
        "shop",
        "acme",
        "acme",
        frozenset({"predict"}),
    )


def test_the_right_id_with_another_secret_is_not_known(world: KeyWorld, known: KnownKeys) -> None:
    key, other = world.key(), world.key()
    known.refresh()
    forged = key[: ID_SLICE.stop] + other[ID_SLICE.stop :]
    assert known.find(forged) is None


def test_a_revoked_key_is_not_known(world: KeyWorld, known: KnownKeys) -> None:
    made, key = world.made()
    known.refresh()
    assert known.find(key) is not None
    world.store.revoke(made.id)
    known.refresh()
    assert known.find(key) is None


def test_a_key_expires_by_itself(world: KeyWorld, known: KnownKeys) -> None:
    key = world.key(expires_at=now() + timedelta(seconds=0.3))
    known.refresh()
    assert known.find(key) is not None
    time.sleep(0.35)
    assert known.find(key) is None


@pytest.mark.parametrize(("grace", "works"), [(timedelta(0), False), (timedelta(hours=1), True)])
def test_after_a_rotation_the_secret_before_works_for_its_grace(
    world: KeyWorld, known: KnownKeys, *, grace: timedelta, works: bool
) -> None:
    made, before = world.made()
    _, after = world.keys.rotate(made.id, grace)
    known.refresh()
    assert (known.find(before) is not None, known.find(after) is not None) == (works, True)


def test_a_revoked_key_has_no_grace(world: KeyWorld, known: KnownKeys) -> None:
    made, before = world.made()
    _, after = world.keys.rotate(made.id, timedelta(hours=1))
    world.store.revoke(made.id)
    known.refresh()
    assert (known.find(before), known.find(after)) == (None, None)


def test_without_postgresql_known_keys_go_on_working(world: KeyWorld, known: KnownKeys) -> None:
    key = world.key()
    known.refresh()
    with database_away(world.settings.database_url):
        with pytest.raises(DatabaseUnavailable):
            known.refresh()
        assert known.find(key) is not None


def test_a_change_that_is_committed_late_is_not_missed(world: KeyWorld, known: KnownKeys) -> None:
    key = world.key()
    with world.api.services.database.begin() as connection:
        connection.execute(text("UPDATE api_keys SET changed_at = now() - interval '30 seconds'"))
    known.refresh()
    assert known.find(key) is not None


def test_many_who_ask_at_once_share_a_read(world: KeyWorld) -> None:
    source = Counting(world)
    keys = KnownKeys(source, lambda tenant: tenant)
    came_at = time.monotonic()
    for _ in range(10):
        keys.refresh_since(came_at)
    assert source.reads == 1


def test_the_last_use_is_saved(world: KeyWorld, known: KnownKeys) -> None:
    made, key = world.made()
    known.refresh()
    before = now()
    known.find(key)
    known.save_used()
    used_at = world.store.get(made.id).last_used_at
    assert used_at is not None
    assert used_at >= before - timedelta(milliseconds=1)


def test_a_use_that_could_not_be_saved_is_saved_later(world: KeyWorld, known: KnownKeys) -> None:
    made, key = world.made()
    known.refresh()
    known.find(key)
    with database_away(world.settings.database_url), pytest.raises(DatabaseUnavailable):
        known.save_used()
    world.api.services.database.ping()
    known.save_used()
    assert world.store.get(made.id).last_used_at is not None
