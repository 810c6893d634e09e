"""A chat whose answer is printed while it is made, by `/v1/chat/completions`."""

import json
from collections.abc import Mapping
from typing import Any

from cli.asking.question import Question
from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.service.client import API, Json, Service
from cli.terminal.words import count, dollars

CHAT = "chat"
END = "[DONE]"
GOES_ON = "stream_interrupted"
"""The code of an error that ends a stream, but not its job."""

PASSED_ON = ("temperature", "max_tokens")


def stream_answer(
    service: Service, question: Question, headers: Mapping[str, str], console: Console, *, as_json: bool
) -> int:
    """Print the answer's parts as they come. Raises CommandFailed, also when it breaks off."""
    told: Json = {}
    with service.events("/v1/chat/completions", _completion(question, service), headers) as events:
        for event in events:
            if event == END:
                break
            chunk = chunk_of(event)
            told = chunk.get("x_askonce") or told
            if as_json:
                console.write_json(chunk, indent=None)
            else:
                text = "".join(choice.get("delta", {}).get("content") or "" for choice in chunk["choices"])
                console.write(text, end="")
            console.out.flush()
        else:
            message = "the answer broke off; ask again: what the job finds is kept"
            raise CommandFailed(message)
    if not as_json:
        console.write("")
        console.say(_origin(told))
    return ExitCode.DONE


def _completion(question: Question, service: Service) -> Json:
    body, options = question.body, question.body["options"]
    model = body.get("model") or _model_of_chat(service)
    system = [{"role": "system", "content": options["system"]}] if "system" in options else []
    messages = [*system, *options.get("history", ()), {"role": "user", "content": body["input"]}]
    passed_on = {name: options[name] for name in PASSED_ON if name in options}
    stream = {"stream": True, "stream_options": {"include_usage": True}}
    return {"model": model, "messages": messages, **passed_on, **stream}


def _model_of_chat(service: Service) -> Any:  # noqa: ANN401  JSON is any of its types
    tasks = service.get(f"{API}/tasks")["tasks"]
    return next(task["model"] for task in tasks if task["task_type"] == CHAT)


def chunk_of(event: str) -> Json:
    """Return the chunk in an event. Raises CommandFailed for an error, which ends the stream."""
    chunk: Json = json.loads(event)
    if "error" in chunk:
        error = chunk["error"]
        message = f"the answer broke off: {error.get('message')}"
        raise CommandFailed(message, ExitCode.NOT_ENDED if error.get("code") == GOES_ON else ExitCode.JOB_FAILED)
    return chunk


def _origin(told: Json) -> str:
    saved = told.get("saved")
    if not saved:
        return f"miss: the job is {told.get('job_id')}"
    worth = f"{count(saved['total_tokens'])} tokens"
    cost = "" if saved["cost_usd"] is None else f", {dollars(saved['cost_usd'])}"
    return f"hit: {told.get('tier')}; it cost nothing and saved {worth}{cost}"
