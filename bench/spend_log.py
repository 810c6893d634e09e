"""Writes a spend log as LiteLLM has it, with bodies: `python -m bench.spend_log 1000000 > spend.jsonl`.

It is that of a shop's assistant, over a week: few questions are asked often, most are asked once or twice. With
`distinct` after the number no question is asked twice.
"""

import json
import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 20, tzinfo=UTC)
DAYS = 7
MODELS = (("openai", "gpt-5-mini"), ("groq", "openai/gpt-oss-20b"), ("groq", "openai/gpt-oss-120b"))
SYSTEM = "You are the assistant of a shop. Be brief and kind, and never promise what you can't keep. " * 3
POPULAR = 0.6
"""The shape of Pareto's distribution, by which questions are chosen."""


def row(number: int, of: int, question: int, chance: random.Random) -> dict[str, Any]:
    """Return one row."""
    provider, model = MODELS[question % len(MODELS)]
    began = START + timedelta(days=DAYS) * number / of
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"Where is my order number {question}? I have been waiting for some days now."},
    ]
    prompt, completion = 180 + question % 50, 20 + question % 60
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    answer = {"role": "assistant", "content": "Your order is on its way to you. " * (completion // 8)}
    return {
        "request_id": f"chatcmpl-{number:032x}",
        "call_type": "acompletion",
        "api_key": f"{question % 20:064x}",
        "spend": round(prompt * 2.5e-7 + completion * 2e-6, 9),
        **usage,
        "startTime": began.isoformat(),
        "endTime": (began + timedelta(seconds=chance.uniform(0.5, 4))).isoformat(),
        "model": model,
        "model_group": model,
        "custom_llm_provider": provider,
        "cache_hit": "False",
        "cache_key": "Cache OFF",
        "metadata": {"user_api_key_alias": "shop", "additional_usage_values": {}},
        "messages": {},
        "status": "success",
        "response": {"choices": [{"index": 0, "finish_reason": "stop", "message": answer}], "usage": usage},
        "proxy_server_request": {"model": model, "messages": messages, "temperature": 0.2, "max_tokens": 300},
    }


def main(count: int, *, distinct: bool) -> None:
    """Write rows."""
    chance = random.Random(7)  # noqa: S311  the same log each time
    for number in range(count):
        question = number if distinct else int(chance.paretovariate(POPULAR))
        sys.stdout.write(json.dumps(row(number, count, question, chance)) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), distinct="distinct" in sys.argv)
