"""The text that is printed when everything runs."""

from collections.abc import Sequence

RULE = "-" * 78
EXAMPLE = """\
curl -s -X POST {api}/api/v1/predict \\
  -H 'Content-Type: application/json' -H 'Prefer: wait=20' \\
  -d '{{"task_type": "summarization", "input": "AskOnce answers a question once and remembers it."}}'"""


def banner(api: str, flower: str, simulator: str | None, simulated: Sequence[str]) -> str:
    """Return the addresses and an example call; `simulated` names the kinds of providers that are not real."""
    addresses = {"API": api, "docs": f"{api}/docs", "Flower": flower}
    if simulator:
        addresses["simulator"] = simulator
    lines = [RULE, "AskOnce is running", ""]
    lines += [f"  {name:<10} {address}" for name, address in addresses.items()]
    if simulated:
        kinds = " and ".join(simulated)
        lines += ["", f"The {kinds} answers are SIMULATED; set GROQ_API_KEY and HF_API_KEY in .env for real ones."]
    lines += ["", "Try it:", EXAMPLE.format(api=api), "", "Ctrl-C stops everything; the data stays.", RULE]
    return "\n".join(lines)
