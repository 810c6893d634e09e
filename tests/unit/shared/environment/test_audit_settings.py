"""The settings of the audit of hits."""

from decimal import Decimal

import pytest

from shared.config import load_settings
from shared.domain.task_type import Model
from shared.errors import ConfigurationError


def test_by_default_no_hit_is_audited() -> None:
    found = load_settings({}).audit
    assert (found.hit_ratio, found.dollars_per_day, found.judge) == (0, 1, None)


def test_dollars_are_exact() -> None:
    assert load_settings({"AUDIT_DOLLARS_PER_DAY": "0.1"}).audit.dollars_per_day == Decimal("0.1")


def test_a_judge_is_named_with_its_provider() -> None:
    found = load_settings({"AUDIT_JUDGE_MODEL": "groq:openai/gpt-oss-20b"}).audit.judge
    assert found == Model("groq", "openai/gpt-oss-20b")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUDIT_HIT_RATIO", "1.1"),
        ("AUDIT_HIT_RATIO", "nan"),
        ("AUDIT_DOLLARS_PER_DAY", "-1"),
        ("AUDIT_JUDGE_MODEL", "openai/gpt-oss-20b"),
        ("AUDIT_JUDGE_MODEL", "elsewhere:model"),
    ],
)
def test_a_wrong_value_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        load_settings({name: value})


def test_a_judge_without_a_price_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"^AUDIT_JUDGE_MODEL: the price of groq:new is not known"):
        load_settings({"AUDIT_JUDGE_MODEL": "groq:new"})
    prices = '{"groq:new": {"prompt": 1, "completion": 1}}'
    assert load_settings({"AUDIT_JUDGE_MODEL": "groq:new", "MODEL_PRICES": prices}).audit.judge == Model("groq", "new")
