"""The tier of the replay, against one that is slow and plain."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from cli.estimate.tier import HIT, JOINED, MISS, OUTCOMES, Tier

TTLS = (30, 100, 1_000)
NEVER = -(10**18)


@dataclass
class Plain:
    """One tier with one TTL: a list, the one asked for longest ago first."""

    size: int
    ttl: int
    held: list[tuple[bytes, int, int]] = field(default_factory=list)

    def ask(self, key: bytes, at: int, took: int, size: int, *, keeps: bool) -> int:
        found = next((each for each in self.held if each[0] == key), None)
        made = NEVER if found is None else found[2]
        outcome = JOINED if at < made else HIT if at - made < self.ttl else MISS
        if outcome == MISS:
            made = at + took if keeps else NEVER
        if found is not None or keeps:
            self.held = [*(each for each in self.held if each[0] != key), (key, size, made)]
        while sum(each[1] for each in self.held) > self.size:
            del self.held[0]
        return outcome


ASKS = st.lists(
    st.tuples(
        st.sampled_from([b"a", b"b", b"c", b"d", b"e"]),
        st.integers(0, 60),
        st.integers(0, 40),
        st.integers(1, 50),
        st.sampled_from([True, True, True, False]),
    ),
    max_size=60,
)
"""Key, pause before, seconds of the provider, size of the answer, and whether it is kept."""


def digits(number: int) -> list[int]:
    return [number // OUTCOMES**place % OUTCOMES for place in reversed(range(len(TTLS)))]


@given(ASKS, st.integers(1, 200), st.integers(1, 7))
def test_all_ttls_at_once_are_as_one_tier_for_each(
    asks: list[tuple[bytes, int, int, int, bool]], size: int, forget: int
) -> None:
    tier, plain, at = Tier(size, TTLS), [Plain(size, ttl) for ttl in TTLS], 0
    for number, (key, pause, took, answer, keeps) in enumerate(asks):
        at += pause
        found = digits(tier.ask(key, at, took, answer, keeps=keeps))
        assert found == [each.ask(key, at, took, answer, keeps=keeps) for each in plain]
        if not number % forget:
            tier.forget(at)


def test_what_is_past_every_ttl_is_forgotten() -> None:
    tier = Tier(10**9, TTLS)
    for number in range(100):
        tier.ask(b"%d" % number, number, 0, 1, keeps=True)
    tier.forget(50 + TTLS[-1])
    assert len(tier) == 49


def test_a_tier_never_holds_more_than_its_size() -> None:
    tier = Tier(100, TTLS)
    for number in range(1000):
        tier.ask(b"%d" % number, 0, 0, 10, keeps=True)
    assert len(tier) == 10


def test_an_answer_as_old_as_its_ttl_is_a_miss() -> None:
    tier = Tier(100, [30])
    tier.ask(b"a", 0, 5, 10, keeps=True)
    assert [tier.ask(b"a", at, 0, 10, keeps=True) for at in (4, 5, 34, 35)] == [JOINED, HIT, HIT, MISS]


def test_what_was_asked_for_longest_ago_gives_way() -> None:
    tier = Tier(20, [1000])
    for key in (b"a", b"b", b"a", b"c"):
        tier.ask(key, 0, 0, 10, keeps=True)
    assert [tier.ask(key, 1, 0, 10, keeps=False) for key in (b"a", b"c", b"b")] == [HIT, HIT, MISS]
