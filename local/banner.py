"""The text that is printed when everything runs."""

from collections.abc import Sequence

from shared.domain.providers import BUILT_IN
from shared.domain.registry import TASK_TYPES

RULE = "-" * 78
EXAMPLE = """\
curl -s -X POST {api}/api/v1/predict \\
  -H 'Content-Type: application/json' -H 'Prefer: wait=20' \\
  -d '{{"task_type": "summarization", "input": "AskOnce answers a question once and remembers it."}}'"""


WITH_KEY = """\
KEY=$(.venv/bin/askonce keys create me)     # once; `askonce keys list` shows all
"""


def banner(
    api: str, flower: str, simulator: str | None, simulated: Sequence[str], *, asks_for_keys: bool = False
) -> str:
    """Return the addresses and an example call; `simulated` names the queues whose answers are not real."""
    addresses = {"page": f"{api}/", "API": f"{api}/api/v1", "docs": f"{api}/docs", "Flower": flower}
    if simulator:
        addresses["simulator"] = simulator
    lines = [RULE, "AskOnce is running", ""]
    lines += [f"  {name:<10} {address}" for name, address in addresses.items()]
    if simulated:
        keys = (BUILT_IN[each.models[0].provider].key_name for each in TASK_TYPES if each.queue in simulated)
        queues, settings = " and ".join(simulated), " and ".join(dict.fromkeys(keys))
        lines += ["", f"The {queues} answers are SIMULATED; set {settings} in .env for real ones."]
    example = EXAMPLE.format(api=api)
    if asks_for_keys:
        example = WITH_KEY + example.replace(" -H 'Prefer", ' -H "X-API-Key: $KEY" -H \'Prefer')
    lines += ["", "Try it:", example, "", "Ctrl-C stops everything; the data stays.", RULE]
    return "\n".join(lines)
