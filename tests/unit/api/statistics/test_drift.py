"""Classes of ages, and the figures of audits."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.statistics.drift import report_drift
from shared.domain.drift import AGES, COMPARED, Verdict, age_class, end_of


@given(st.floats(-10, 1e9))
def test_every_age_is_within_its_class(seconds: float) -> None:
    begins = age_class(seconds)
    ends = end_of(begins)
    assert begins <= max(0.0, seconds)
    assert ends is None or seconds < ends


def rows(*found: tuple[str, int, Verdict, int]) -> list[Any]:
    names = ("task_type", "age", "verdict", "audits")
    return [SimpleNamespace(**dict(zip(names, each, strict=True)), dollars=Decimal("0.5")) for each in found]


def test_without_audits_no_share_is_known() -> None:
    assert report_drift([])["equivalent_share"] is None


def test_the_share_leaves_out_what_nobody_could_say() -> None:
    found = report_drift(
        rows(
            ("chat", 0, Verdict.IDENTICAL, 2),
            ("chat", 0, Verdict.EQUIVALENT, 1),
            ("chat", 60, Verdict.DIFFERENT, 1),
            ("chat", 60, Verdict.UNKNOWN, 7),
            ("chat", 0, Verdict.FAILED, 5),
        )
    )
    assert (found["compared"], found["equivalent_share"], found["not_compared"]["failed"]) == (11, 0.75, 5)
    assert [(each["from_seconds"], each["equivalent_share"]) for each in found["by_age"]] == [(0, 1.0), (60, 0.0)]
    assert found["cost_usd"] == 2.5


figures = st.tuples(
    st.sampled_from(["chat", "sentiment"]), st.sampled_from(AGES), st.sampled_from(list(Verdict)), st.integers(0, 9)
)


@given(st.lists(figures))
def test_classes_add_up_to_the_whole(found: list[tuple[str, int, Verdict, int]]) -> None:
    report = report_drift(rows(*found))
    assert sum(each["compared"] for each in report["by_age"]) == report["compared"]
    for verdict in COMPARED:
        assert sum(each["verdicts"][verdict] for each in report["by_age"]) == report["verdicts"][verdict]
