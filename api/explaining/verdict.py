"""What would become of a request if it were asked now, and by which rule. The rules are those of a call."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from api.bootstrap import ApiServices
from api.explaining.holdings import Holding, Rule
from api.http.directives import CacheDirectives
from api.service import NotServed, after_no_hit, outcome_of, use_stale
from shared.cache.lookup import SECOND, Lookup
from shared.domain.request import PictureUrl, Request

WHY_NOT: Mapping[Rule, str] = {
    "max_age": "the stored answer is older than the request's max-age allows",
    "fallback": "the stored answer comes from a fallback model, which this request does not allow",
    "purged": "the stored answer was purged",
    "expired": "the stored answer is past its TTL",
    "unreadable": "what is stored is no answer that this version of AskOnce can read",
    "purges_unknown": "this process does not know yet what was purged",
    "down": "a tier does not answer",
    "absent": "no tier has an answer",
    "off": "both tiers are switched off",
}
"""Why a tier's answer is not served, the most telling reason first."""


class Verdict(NamedTuple):
    """`outcome`: as the record of the call would have it. `rule`: what decides. `detail`: the same as a sentence."""

    outcome: str
    rule: str
    detail: str


class Known(NamedTuple):
    """What was found out. `lookup`: None if the request forbids the cache. `job`: whether one can be joined.

    `database`: whether PostgreSQL answers.
    """

    holdings: Sequence[Holding]
    lookup: Lookup | None
    job: bool
    database: bool


def verdict_of(request: Request, directives: CacheDirectives, known: Known, services: ApiServices) -> Verdict:
    """Return what a call would come to, as far as the cache and jobs in flight decide: limits are not looked at."""
    from_memory = _from_memory(request, known, services)
    if from_memory is not None:
        return from_memory
    why = _why_not(directives, known.holdings)
    after = after_no_hit(request, directives, known.lookup)
    if isinstance(after, NotServed):
        outcome = "miss" if directives.only_if_cached else "error"
        return Verdict(outcome, after.error.code, f"{why.detail}. {after.error.detail}")
    if not known.database:
        return Verdict(
            "error", "database_unavailable", f"{why.detail}, and PostgreSQL does not answer: no job is made."
        )
    joins = known.job and not directives.no_store
    outcome = outcome_of(directives, joined=joins)
    if joins:
        return Verdict(outcome, "in_flight", f"{why.detail}, but a job for the same key is in flight: it is joined.")
    return Verdict(outcome, why.rule, f"{why.detail}: {_work_of_a_job(request, directives)}.")


def _from_memory(request: Request, known: Known, services: ApiServices) -> Verdict | None:
    lookup = known.lookup
    if lookup is not None and lookup.answer is not None:
        visit = lookup.visits[-1]
        return Verdict(visit.tier, "fresh", f"{visit.tier} has an answer that is fresh for {visit.ttl} s more.")
    stale = use_stale(request, lookup, services)
    if stale is None:
        return None
    overdue = -stale.lookup.visits[-1].ttl
    if overdue <= services.settings.stale_while_revalidate_seconds:
        reason, rule = "and is served while a job gets a new one", "stale_while_revalidate"
    else:
        reason, rule = "and is served because the provider is out of order", "stale_if_error"
    return Verdict(SECOND, rule, f"The answer in {SECOND} is past its TTL by {overdue} s, {reason}.")


def _work_of_a_job(request: Request, directives: CacheDirectives) -> str:
    if not isinstance(request.input, PictureUrl):
        return "a job asks the provider"
    # Only the worker can find out which bytes these are.
    otherwise = "" if directives.bypasses else ", unless an answer for its bytes is stored"
    return f"a job fetches the picture, and asks the provider{otherwise}"


class _Reason(NamedTuple):
    rule: str
    detail: str


def _why_not(directives: CacheDirectives, holdings: Sequence[Holding]) -> _Reason:
    if not directives.reads:
        rule = "no_store" if directives.no_store else "no_cache"
        return _Reason(rule, f"The request's Cache-Control says {rule.replace('_', '-')}")
    found = {each.rule for each in holdings}
    told = next(rule for rule in WHY_NOT if rule in found)
    detail = WHY_NOT[told]
    return _Reason(told, f"{detail[0].upper()}{detail[1:]}")
